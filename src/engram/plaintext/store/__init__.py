"""The only thing that changes: one SQLite file, its log, and what is derived from the log."""
