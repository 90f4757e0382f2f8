"""An observatory of a chosen size to measure on: its declarations, and its accepted observations.

Figures are accepted months of monthly feeds, one delivery a feed and month, for 40 communes, the
département and France; every indicator is a share of its feed's first variable.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import yaml

from odds_pipeline.declarations.project import Project, project_root

SOURCES = 12
TERRITORIES = 42
FIRST = "2009-01"


@dataclass(frozen=True)
class Size:
    """How many indicators, and months from :data:`FIRST`."""

    indicators: int
    months: int

    @property
    def asset_months(self) -> int:
        return self.indicators * self.months

    @property
    def values(self) -> int:
        return self.asset_months * TERRITORIES


def month(index: int) -> str:
    """The month ``index`` months after :data:`FIRST`."""
    return f"{2009 + index // 12:04d}-{index % 12 + 1:02d}"


def _dump(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _feed(variables: list[str]) -> dict[str, object]:
    return {
        "id": "figures",
        "label": "Figures to measure on",
        "description": "Figures drawn for the benchmark.",
        "kind": "template",
        "source": "benchmark",
        "owner": "benchmark",
        "calendar": {"cadence": "monthly", "first": FIRST, "lag": 1},
        "levels": ["commune", "departement", "france"],
        "variables": {v: {"label": f"Figure {v}", "unit": "personnes"} for v in variables},
        "columns": {v: v.upper() for v in variables},
        "formats": [
            {
                "id": "only",
                "example": {"file": "figures_2020-01.csv"},
                "period": {"file": r"_(?P<year>20\d\d)-(?P<month>\d\d)"},
                "territory": {"columns": ["code"]},
            }
        ],
    }


def write_project(root: Path, indicators: int) -> None:
    """Declarations of :data:`SOURCES` partners and of ``indicators`` indicators, in ``root``."""
    shutil.copytree(project_root() / "resources" / "reference", root / "resources" / "reference")
    for name in ("dagster.yaml", "workspace.yaml", "assets/recueil.yaml", "assets/observatory.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project_root() / name, root / name)
    shutil.copytree(project_root() / "expectations" / "indicators", root / "expectations/indicators")
    shutil.copyfile(project_root() / "expectations/recueil.yaml", root / "expectations/recueil.yaml")
    defaults = Path("expectations/partners/defaults.yaml")
    (root / defaults).parent.mkdir()
    shutil.copyfile(project_root() / defaults, root / defaults)
    for source in range(SOURCES):
        partner = f"source{source:02d}"
        own = [f"i{source:02d}_{n:03d}" for n in range(source, indicators, SOURCES)]
        variables = [f"v{source:02d}_total", *(f"v{name[1:]}" for name in own)]
        folder = root / "assets" / "partners" / partner
        _dump(
            folder / "partner.yaml",
            {
                "id": partner,
                "label": f"Source {source}",
                "short_label": partner,
                "status": "member",
                "since": FIRST,
                "description": "A source of the benchmark.",
                "contact_role": "none",
                "licence": "etalab-2.0",
                "secrecy": {"threshold": 0, "reference": "no rule"},
            },
        )
        _dump(folder / "figures.yaml", _feed(variables))
        stanzas = {
            name: {
                "label": f"Share {name}",
                "short_label": f"Share {name}",
                "definition": "A share of the total, drawn for the benchmark.",
                "unit": "pct",
                "formula": f"100 * {partner}.v{name[1:]} / {partner}.{variables[0]}",
                "numerator": "a part",
                "denominator": "the total",
                "population": "everybody",
                "levels": ["commune", "departement", "france"],
                "direction": "neutral",
                "limits": "none",
                "cautions": ["Drawn for the benchmark."],
                "breaks": [],
                "decimals": 1,
                "owner": "benchmark",
                "example": {
                    "inputs": {f"{partner}.v{name[1:]}": 1, f"{partner}.{variables[0]}": 4},
                    "value": 25,
                },
            }
            for name in own
        }
        theme = ("cadrage", "enfance_education", "sante", "social", "logement")[source % 5]
        _dump(
            root / "assets" / "indicators" / theme / f"{partner}.yaml",
            {
                "id": partner,
                "theme": theme,
                "label": f"Family of {partner}",
                "description": "Drawn for the benchmark.",
                "indicators": stanzas,
            },
        )


_DELIVERIES = """
INSERT INTO deliveries BY NAME
SELECT md5(feed || month) AS id, id AS sha256, feed || month || '.csv' AS file_name, 1 AS size,
       now()::TIMESTAMP AS received_at, row_number() OVER (ORDER BY month, feed) AS received_order,
       feed, 'only' AS format, 2024 AS geography, 0 AS ignored_rows, [] AS unknown_columns,
       false AS simulated, ['commune', 'departement', 'france'] AS levels
FROM calendar
"""
_MONTHS = """
INSERT INTO delivered_months
SELECT md5(feed || month), feed, month, 'accepted', row_number() OVER (ORDER BY month, feed), now()
FROM calendar
"""
_VERDICTS = """
INSERT INTO verdicts (delivery, month, rule, severity, passed, message, remedy, failing, rows)
SELECT md5(feed || month), month, 'lisible', 'critical', true, '', '', 0, '[]' FROM calendar
"""
_OBSERVATIONS = """
INSERT INTO observations (variable, month, territory, level, geography, value, obs_status, conf_status,
    lower_bound, delivery, line, lines, known_from, known_to)
SELECT f.variable, c.month, t.territory, t.level, 2024,
       CASE WHEN f.total THEN 20000 ELSE 100 END + hash(f.variable || c.month || t.territory) % 900,
       'A', 'F', NULL, md5(c.feed || c.month), 2, 1, 1, NULL
FROM calendar c JOIN figures f USING (feed) CROSS JOIN places t
ORDER BY c.month, c.feed
"""


def fill(project: Project, connection: duckdb.DuckDBPyConnection, months: int) -> None:
    """Accept every month of every feed, with drawn figures; all in the geography of 2024."""
    territories = project.territories
    places = [(t.code, "commune") for t in territories.communes(territories.geographies[0])]
    places += [("93", "departement"), ("FR", "france")]
    assert len(places) == TERRITORIES
    tables = {
        "calendar": pd.DataFrame(
            [(feed, month(i)) for feed in project.feeds for i in range(months)],
            columns=["feed", "month"],
        ),
        "figures": pd.DataFrame(
            [(e.id, name, name.endswith("_total")) for name, (e, _) in project.variables.items()],
            columns=["feed", "variable", "total"],
        ),
        "places": pd.DataFrame(places, columns=["territory", "level"]),
    }
    for name, frame in tables.items():
        connection.register(name, frame)
    for statement in (_DELIVERIES, _MONTHS, _VERDICTS, _OBSERVATIONS):
        connection.execute(statement)
    for name in tables:
        connection.unregister(name)
