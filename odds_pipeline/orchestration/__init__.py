"""How Dagster runs it: components, instances, runs of a command, the code location."""
