"""The one place that leans on private modules of Dagster, each with the reason why."""
