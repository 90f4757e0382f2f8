"""``python -m odds_pipeline.cli``."""

from odds_pipeline.cli import app

app()
