"""Where data stays: the DuckDB warehouse with one writer at a time, or a lake, and the home folder."""
