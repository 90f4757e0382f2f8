"""Loads what an audit needs, 2 CPU seconds, before there is one to make."""


def ready() -> None:
    """Load Great Expectations."""
    import odds_pipeline.quality.expectations  # noqa: F401
