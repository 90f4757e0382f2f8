"""Every worked example of docs/how-to/write-a-contract.md is read as the page says."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from odds_pipeline.declarations.declared import FeedEntry
from odds_pipeline.declarations.feed import Feed
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.yaml_file import read_yaml
from odds_pipeline.reception.matching import Match, match_as
from odds_pipeline.reception.reading import STATUS, read
from odds_pipeline.reception.tables import open_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "write-a-contract.md"
EXAMPLE = re.compile(
    r"^## (.*?)\n.*?^```yaml\n(.*?)^```\n+^```csv (\S+)\n(.*?)^```\n+^```text\n(.*?)^```", re.M | re.S
)
EXAMPLES = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
COMMON = {
    "id": "exemple",
    "label": "Exemple",
    "description": "Un exemple.",
    "kind": "template",
    "source": "Exemple",
    "owner": "Exemple",
    "calendar": {"cadence": "annual", "first": "2015-12", "lag": 2, "month": 12},
    "levels": ["commune"],
}


def test_every_layout_of_the_page_is_an_example() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("\n## ") >= 7


def shown(row: pd.Series) -> str:
    kinds = {status: kind for kind, status in STATUS.items()}
    known = (row["obs_status"], row["conf_status"])
    value = f"{row['value']:g}" if known == ("A", "F") else kinds[known]
    return f"{row['variable'].partition('.')[2]} {row['territory']} {row['month']} {value}"


@pytest.mark.parametrize(
    "title, contract, name, content, expected", EXAMPLES, ids=[e[0] for e in EXAMPLES]
)
def test_an_example_is_read_as_told(
    project: Project, tmp_path: Path, title: str, contract: str, name: str, content: str, expected: str
) -> None:
    data = COMMON | yaml.safe_load(contract)
    path = tmp_path / "exemple.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    entry = FeedEntry(project.partners["caf"], Feed.model_validate(data), read_yaml(path, tmp_path))
    with_it = replace(project, feeds={**project.feeds, entry.id: entry})
    (table,) = open_tables(name, content.encode())
    match = match_as(entry, entry.feed.formats[0], table, project.territories_of(entry))
    assert isinstance(match, Match), match
    reading = read(with_it, match)
    assert reading.problems == ()
    assert [shown(row) for _, row in reading.frame.iterrows()] == expected.splitlines()
