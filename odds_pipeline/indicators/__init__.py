"""Definitions as rows, values by one statement."""
