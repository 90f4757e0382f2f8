"""Benchmarks: what the pipeline costs beside plain DuckDB and beside the project one writes first."""
