"""The published figures that a portrait shows, read once from a release.

Nothing is computed here: comparisons, ranks and changes are columns of the release, made from protected
values.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.french import NBSP, NOT_DELIVERED, decimals_of, french_number, status_word, with_unit
from odds_pipeline.geography.territories import GROUPS
from odds_pipeline.publications.origin import read_about
from odds_pipeline.publications.periods import cadence_of

COMPARISONS = (
    "departement_value",
    "france_value",
    "rank",
    "ranked",
    "change_1y",
    "change_5y",
    "reserve",
    "ci_low",
    "ci_high",
    "numerator",
    "denominator",
    "quartile",
)


@dataclass(frozen=True)
class Sheet:
    """What is said of an indicator beside its values."""

    id: str
    label: str
    short_label: str
    definition: str
    unit: str
    symbol: str
    kind: str
    direction: str
    decimals: int
    source: str
    limits: str
    cautions: tuple[str, ...]
    breaks: dict[str, str]
    change_symbol: str
    cadence: str = "annual"
    years_apart: int = 1
    population: str = ""
    licence: str = ""
    to_the_unit: bool = False

    @property
    def relative(self) -> bool:
        """Whether its changes are per cent of the earlier value."""
        return self.change_symbol == "%" and self.symbol != "%"

    @property
    def counted_in(self) -> str:
        """« , en % »: after a title whose values bear no unit; an abbreviation is spelt out."""
        if not self.symbol or _said(self.symbol):
            return ""
        return f", en {self.unit}" if "/" in self.symbol else f", en{NBSP}{self.symbol}"

    def bare(self, value: float) -> str:
        """The value in French where its unit is said beside."""
        return french_number(value, decimals_of(value, self.decimals, self.to_the_unit))

    def number(self, value: float) -> str:
        """The value in French with its unit."""
        return _with(self.bare(value), _agreed(self.symbol, value))

    def change(self, value: float) -> str:
        """A change with its sign, in the unit that changes of this indicator have."""
        in_unit = self.change_symbol == self.symbol
        decimals = decimals_of(value, self.decimals if in_unit else 1, self.to_the_unit)
        return _with(french_number(value, decimals, "+"), _agreed(self.change_symbol, value))


def _with(number: str, symbol: str) -> str:
    """A number with its symbol, unless it is one that labels say already ("pour 1 000")."""
    return number if _said(symbol) else with_unit(number, symbol)


def _agreed(symbol: str, value: float) -> str:
    """« −0,1 pt », « −4,3 pts »: the plural begins at two."""
    return "pt" if symbol == "pts" and abs(value) < 1.95 else symbol


def _said(symbol: str) -> bool:
    """Whether labels say it already; the ² of €/m² is no decimal digit."""
    return any(c.isdecimal() for c in symbol)


@dataclass(frozen=True)
class Figure:
    """One value of a territory, with what stands beside it."""

    month: str
    value: float | None
    status: str
    departement: float | None
    france: float | None
    rank: int | None
    ranked: int | None
    tied: bool
    change_1y: float | None
    change_5y: float | None
    reserve: str
    low: float | None = None
    high: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    quartile: int | None = None


class Figures:
    """Values of the portrait's indicators, by indicator, territory and month."""

    def __init__(
        self,
        project: Project,
        connection: duckdb.DuckDBPyConnection,
        indicators: list[str],
        geography: int,
    ) -> None:
        self.observatory, self.about = project.observatory, read_about(connection)
        self.sheets = _sheets(project, connection, indicators)
        self._frame = _frame(connection, list(self.sheets), geography)
        known = self._frame[self._frame["value"].notna() & (self._frame["level"] == "commune")]
        latest = known.groupby("indicator")["month"].max()
        self.months = {str(name): str(month) for name, month in latest.items()}
        rows = self._frame.to_dict("records")
        self._communes = {r["territory"] for r in rows if r["level"] == "commune"}
        self._cells = {(r["indicator"], r["territory"], r["month"]): r for r in rows}
        # How many communes share a rank.
        self._holders = Counter((r["indicator"], r["month"], _int(r["rank"])) for r in rows)
        self._series: dict[tuple[str, str], dict[str, float | None]] = {}
        for r in rows:
            series = self._series.setdefault((r["indicator"], r["territory"]), {})
            series[r["month"]] = None if pd.isna(r["value"]) else float(r["value"])

    def cell(self, indicator: str, territory: str) -> Figure | None:
        """The territory's value at the indicator's month; ``None`` when there is nothing to say.

        A whole that is not delivered for that month has the last value known for it, at its own month;
        communes are all taken at the same month, as their ranks are.
        """
        month = self.months[indicator]
        row = self._cells.get((indicator, territory, month))
        if row is None and territory not in self._communes:
            known = [m for m, v in self.series(indicator, territory).items() if v is not None]
            month = known[-1] if known else month
            row = self._cells.get((indicator, territory, month))
        if row is None:
            return None
        status = status_word(str(row["obs_status"]), str(row["conf_status"]))
        return Figure(
            month=month,
            value=_float(row["value"]),
            status=status,
            departement=_float(row["departement_value"]),
            france=_float(row["france_value"]),
            rank=_int(row["rank"]),
            ranked=_int(row["ranked"]),
            tied=self._holders[indicator, month, _int(row["rank"])] > 1,
            change_1y=_float(row["change_1y"]),
            change_5y=_float(row["change_5y"]),
            reserve="" if pd.isna(row["reserve"]) else str(row["reserve"]),
            low=_float(row["ci_low"]),
            high=_float(row["ci_high"]),
            numerator=_float(row["numerator"]),
            denominator=_float(row["denominator"]),
            quartile=_int(row["quartile"]),
        )

    def series(self, indicator: str, territory: str) -> dict[str, float | None]:
        """Values by month, ``None`` where a value is not published."""
        return dict(sorted(self._series.get((indicator, territory), {}).items()))

    def communes(self, indicator: str, codes: list[str]) -> dict[str, float | None]:
        """The communes' values at the indicator's month."""
        month = self.months[indicator]
        found = {code: self._cells.get((indicator, code, month)) for code in codes}
        return {code: _float(row["value"]) if row else None for code, row in found.items()}

    def missing(self, indicator: str, codes: list[str]) -> dict[str, str]:
        """Why communes have no value at the indicator's month: their status, or that no file has it."""
        found = {code: self._cells.get((indicator, code, self.months[indicator])) for code in codes}
        return {
            code: status_word(str(row["obs_status"]), str(row["conf_status"])) if row else NOT_DELIVERED
            for code, row in found.items()
            if row is None or _float(row["value"]) is None
        }


def _float(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _int(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _frame(connection: duckdb.DuckDBPyConnection, indicators: list[str], geography: int) -> pd.DataFrame:
    return connection.execute(
        "SELECT indicator, month, territory, level, value, obs_status, conf_status, "
        f"{', '.join(COMPARISONS)} FROM indicator_values "
        "WHERE indicator IN (SELECT unnest($indicators)) AND geography = $geography "
        "AND level IN (SELECT unnest($levels)) "
        "ORDER BY indicator, territory, month",
        {
            "indicators": indicators,
            "geography": geography,
            "levels": ["commune", *GROUPS, "departement", "france"],
        },
    ).df()


def _sheets(
    project: Project, connection: duckdb.DuckDBPyConnection, indicators: list[str]
) -> dict[str, Sheet]:
    """Sheets of the indicators that the release holds, in the order asked for."""
    rows = connection.execute(
        "SELECT indicator, label, short_label, definition, unit, symbol, decimals, source, limits, "
        "cautions, breaks, change_unit, direction, kind, years_apart, population, licence, to_the_unit "
        "FROM definitions "
        "WHERE indicator IN (SELECT unnest(?))",
        [indicators],
    ).fetchall()
    found = {
        row[0]: Sheet(
            id=row[0],
            label=row[1],
            short_label=row[2],
            definition=row[3],
            unit=project.units[row[4]].label,
            symbol=row[5] or "",
            kind=row[13] or project.units[row[4]].kind,
            direction=row[12],
            decimals=row[6],
            source=row[7],
            limits=row[8],
            cautions=tuple(row[9] or ()),
            breaks={b["month"]: b["reason"] for b in json.loads(row[10])},
            change_symbol=project.units[row[11]].symbol if row[11] else "",
            cadence=cadence_of(project, row[0]),
            years_apart=row[14] or 1,
            population=row[15] or "",
            licence=row[16] or "",
            to_the_unit=bool(row[17]),
        )
        for row in rows
    }
    return {name: found[name] for name in indicators if name in found}
