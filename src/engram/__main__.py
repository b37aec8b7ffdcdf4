"""``python -m engram`` is the command line, where no ``engram`` is on the path."""

from engram.cli import main

if __name__ == "__main__":
    main()
