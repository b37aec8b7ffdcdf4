"""Reading what other products wrote. One file a format; ``formats`` is the table of them."""
