"""The DuckDB warehouse: one writer at a time, and immutable releases for readers."""
