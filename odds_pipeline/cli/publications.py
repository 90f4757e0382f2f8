"""Commands that make what members and partners read: outlines of the maps."""

from pathlib import Path
from typing import Annotated

import typer

from odds_pipeline.cli.app import app, fail, load, out
from odds_pipeline.home import Home


@app.command()
def outlines(file: Annotated[Path, typer.Argument(help="GeoJSON of the communes")]) -> None:
    """Keep the communes' outlines for the maps; without them, maps are tiles."""
    from odds_pipeline.charts import store_outlines

    if not file.is_file():
        fail(f"no such file: {file}")
    try:
        used = store_outlines(load().territories, Home.from_environment(), file)
    except ValueError as error:
        fail(str(error), 1)
    out.print(f"{used} outlines kept", highlight=False)
