"""JSON Schemas of the declarations, so that editors complete and check YAML while it is written."""

import json
from pathlib import Path

from pydantic import BaseModel

from odds_pipeline.declarations.correction import Corrections
from odds_pipeline.declarations.feed import Feed
from odds_pipeline.declarations.indicator import Family
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.study import Study
from odds_pipeline.declarations.suite import Suite

MODELS: dict[str, type[BaseModel]] = {
    "partner": Partner,
    "feed": Feed,
    "corrections": Corrections,
    "family": Family,
    "suite": Suite,
    "study": Study,
    "portrait": Portrait,
}


def write_schemas(folder: Path) -> list[Path]:
    """Write ``<name>.schema.json`` for each kind of declaration; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, model in MODELS.items():
        path = folder / f"{name}.schema.json"
        schema = model.model_json_schema(by_alias=True)
        path.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        paths.append(path)
    return paths
