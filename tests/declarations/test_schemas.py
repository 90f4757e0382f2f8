"""The schemas that editors use accept every declaration, and refuse what its reader refuses."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from odds_pipeline.declarations.project import project_root
from odds_pipeline.declarations.read import _ProjectReader
from odds_pipeline.declarations.schemas import KINDS, files, schema, write_schemas
from odds_pipeline.declarations.yaml_file import read_yaml

ROOT = project_root()
FILES = [(kind, path) for kind in KINDS for path in files(ROOT, kind)]
Place = tuple[str | int, ...]


@cache
def validator(kind: str) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema(kind))
    return Draft202012Validator(schema(kind))


def reads(kind: str, data: Any, folder: Path) -> bool:
    """Whether the reader of that kind finds nothing wrong in the file itself."""
    path = folder / "assets" / "indicators" / "social" / "essai.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    reader = _ProjectReader(folder, ())
    if kind == "family":
        reader.family(path)
    else:
        reader.declared(KINDS[kind][0], path)
    return not reader.failed


def test_every_yaml_file_is_of_a_kind() -> None:
    written = {p for f in ("assets", "expectations", "resources") for p in (ROOT / f).rglob("*.yaml")}
    dagsters = set(ROOT.glob("resources/deployments/dagster-*.yaml"))
    assert written - {path for _, path in FILES} - dagsters == {ROOT / "assets/recueil.yaml"}
    assert len({path for _, path in FILES}) == len(FILES) > 150


def test_editors_are_told_of_every_kind() -> None:
    settings = json.loads((ROOT / ".vscode/settings.json").read_text())["yaml.schemas"]
    assert settings == {
        f"./docs/reference/schemas/{kind}.schema.json": list(patterns)
        for kind, (_, patterns) in KINDS.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_declaration_of_the_repository_is_accepted(kind: str) -> None:
    own = [path for k, path in FILES if k == kind]
    refused = {
        str(path.relative_to(ROOT)): error.message
        for path in own
        for error in validator(kind).iter_errors(read_yaml(path, ROOT).data)
    }
    assert refused == {}
    assert own or kind in ("corrections", "texts")


def places(data: Any, at: Place = ()) -> Iterator[Place]:
    """Every key of every mapping; of a list, the first item stands for the others."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*at, key)
            yield from places(value, (*at, key))
    elif isinstance(data, list) and data:
        yield from places(data[0], (*at, 0))


def damaged(data: Any, place: Place) -> Iterator[tuple[str, Any]]:
    """The declaration without the key, with it misspelt, and with a value of another type."""
    for what in ("dropped", "misspelt", "mapping", "text", "number"):
        made = copy.deepcopy(data)
        holder = made
        for step in place[:-1]:
            holder = holder[step]
        value = holder.pop(place[-1])
        if what == "misspelt":
            holder["zzz"] = value
        elif what != "dropped":
            holder[place[-1]] = {"mapping": {"zzz": 1}, "text": "Zz!", "number": 1234567}[what]
        yield what, made


def some(kind: str) -> list[Path]:
    """Two files of the kind that are no longer than half of them are."""
    own = sorted((path for k, path in FILES if k == kind), key=lambda p: p.stat().st_size)
    return list(dict.fromkeys([own[len(own) // 2], own[len(own) // 3]])) if own else []


REGULAR = ("pattern", "file", "header", "sheet", "columns", "formula", "marks", "where", "example")
"""Texts that the reader parses: an editor cannot."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [k for k in KINDS if some(k)])
def test_a_schema_refuses_what_the_reader_refuses(kind: str, tmp_path: Path) -> None:
    differ, tried = [], 0
    for path in some(kind):
        data = read_yaml(path, ROOT).data
        if kind == "family":  # one indicator has all that others have
            first = dict(list(data["indicators"].items())[:1])
            data = {**data, "indicators": first}
        kept = list(places(data))
        for place in kept[:: max(1, len(kept) // 25)]:
            for what, made in damaged(data, place):
                if what == "text" and {str(s) for s in place} & set(REGULAR):
                    continue
                tried += 1
                if validator(kind).is_valid(made) != reads(kind, made, tmp_path):
                    differ.append(f"{path.name} {'.'.join(map(str, place))} {what}")
    assert differ == []
    assert tried >= 20


def test_schemas_are_written(tmp_path: Path) -> None:
    paths = write_schemas(tmp_path)
    assert {p.name for p in paths} == {f"{kind}.schema.json" for kind in KINDS}
    assert "calendar" in json.loads((tmp_path / "feed.schema.json").read_text())["properties"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_description_is_the_same_on_every_python(kind: str) -> None:
    """From 3.13 on docstrings have lost their indentation; before, they lose it here."""
    assert "\\n " not in json.dumps(schema(kind))
