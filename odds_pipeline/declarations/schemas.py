"""JSON Schemas of the declarations, so that editors complete and check YAML while it is written.

They say of a file what its reader says of it alone; what contradicts another file is told by
``odds check``.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from odds_pipeline.declarations.correction import Corrections
from odds_pipeline.declarations.deployment import Deployment
from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.declarations.feed import Feed
from odds_pipeline.declarations.indicator import Defaults, Family
from odds_pipeline.declarations.observatory import Observatory
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.portal import Portals
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.simulation import Simulation
from odds_pipeline.declarations.socle import Socle
from odds_pipeline.declarations.statement import ReleaseTexts, Statements
from odds_pipeline.declarations.study import Study
from odds_pipeline.declarations.suite import Suite
from odds_pipeline.declarations.synonyms import Synonyms
from odds_pipeline.declarations.templates import Templates

KINDS: dict[str, tuple[type[BaseModel], tuple[str, ...]]] = {
    "observatory": (Observatory, ("assets/observatory.yaml",)),
    "partner": (Partner, ("assets/partners/*/partner.yaml",)),
    "corrections": (Corrections, ("assets/partners/*/*.corrections.yaml",)),
    "feed": (
        Feed,
        (
            "assets/partners/*/*.yaml",
            "!assets/partners/*/partner.yaml",
            "!assets/partners/*/*.corrections.yaml",
        ),
    ),
    "family": (Family, ("assets/indicators/*/*.yaml",)),
    "suite": (Suite, ("expectations/**/*.yaml",)),
    "study": (Study, ("assets/studies/*.yaml",)),
    "portrait": (Portrait, ("assets/portrait_social.yaml",)),
    "statements": (Statements, ("assets/statements/*.yaml",)),
    "texts": (ReleaseTexts, ("assets/texts/*.yaml",)),
    "socle": (Socle, ("assets/socle.yaml",)),
    "synonyms": (Synonyms, ("assets/synonymes.yaml",)),
    "templates": (Templates, ("assets/modeles.yaml",)),
    "simulation": (Simulation, ("resources/simulation/*/*.yaml",)),
    "deployment": (
        Deployment,
        ("resources/deployments/*.yaml", "!resources/deployments/dagster-*.yaml"),
    ),
    "extranet": (Settings, ("resources/extranet.yaml",)),
    "portals": (Portals, ("resources/portals.yaml",)),
}
"""Each kind of declaration: its class, and its files as editors are told them; ``!`` leaves out."""

Node = dict[str, Any]


def files(root: Path, kind: str) -> list[Path]:
    """The declarations of one kind in a project folder."""
    _, patterns = KINDS[kind]
    left_out = {path for p in patterns if p.startswith("!") for path in root.glob(p[1:])}
    found = {path for p in patterns if not p.startswith("!") for path in root.glob(p)}
    return sorted(found - left_out)


def schema(kind: str) -> Node:
    """The schema of one kind."""
    model, _ = KINDS[kind]
    made = model.model_json_schema(by_alias=True)
    if kind == "feed":
        _shorten_columns(made)
    closed: Node = _closed(made)
    return _family(closed) if kind == "family" else closed


def write_schemas(folder: Path) -> list[Path]:
    """Write ``<kind>.schema.json`` for each kind of declaration; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in KINDS:
        path = folder / f"{kind}.schema.json"
        text = json.dumps(schema(kind), ensure_ascii=False, indent=2)
        path.write_text(text + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _shorten_columns(feed: Node) -> None:
    """A column may be written as its name, or as the list of its names."""
    names = [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    for holder in (feed, feed["$defs"]["Format"]):
        columns = holder["properties"]["columns"]
        ((pattern, column),) = columns["patternProperties"].items()
        columns["patternProperties"] = {pattern: {"anyOf": [*names, column]}}


def _family(made: Node) -> Node:
    """What the family's defaults give, its indicators need not repeat; one of them must give it."""
    stanza = made["$defs"]["Indicator"]
    stanza["properties"]["cautions"].pop("minItems")
    given = [name for name in stanza["required"] if name in Defaults.model_fields]
    stanza["required"] = [name for name in stanza["required"] if name not in given]
    made["properties"]["defaults"] = {
        "type": "object",
        "description": inspect.getdoc(Defaults),
        "properties": {name: stanza["properties"][name] for name in Defaults.model_fields},
        "additionalProperties": False,
    }
    made["allOf"] = [{"anyOf": list(_either(name))} for name in given]
    return made


def _either(name: str) -> Iterator[Node]:
    """``name`` stands in the defaults, or in every indicator; cautions hold at least one."""
    own: Node = {"required": [name]}
    if name == "cautions":
        own["properties"] = {name: {"minItems": 1}}
    yield {"properties": {"defaults": own}, "required": ["defaults"]}
    yield {"properties": {"indicators": {"additionalProperties": own}}}


def _closed(node: Any) -> Any:
    """No key that is not a name, where keys are names."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    return {"additionalProperties": False, **closed} if "patternProperties" in closed else closed
