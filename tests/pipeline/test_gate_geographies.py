"""The gate compares with the past whatever the geography: what is told in a month is told in any."""

import re
from contextlib import suppress
from copy import deepcopy
from functools import cache

import duckdb
import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_simulations import load_simulations
from odds_pipeline.declarations.suite import TOLERATED
from odds_pipeline.demo.simulation import Simulator
from odds_pipeline.months import months_between, shifted
from odds_pipeline.quality.findings import Finding
from odds_pipeline.quality.tables import delivery_table, keep_declared, keep_delivered, keep_past
from odds_pipeline.quality.waiting import Waiting
from odds_pipeline.storage.scratch import scratch
from tests.conftest import declared

from .faults import TABLE, Damage, Delivery, NotApplicable
from .test_faults import accepted_from, findings_on, good, readings_of

FEED = "caf/logement"
ORDINARY, CHANGED, LATER = "2024-12", "2025-01", "2025-03"
"""A month like any other; the first of a geography in which two communes have merged; one whose past is of both."""


@cache
def simulator() -> Simulator:
    project = declared()
    return Simulator(project, load_simulations(project), months_between("2023-07", LATER))


@cache
def months_to(feed: str, last: str) -> tuple[Delivery, ...]:
    return tuple(good(feed, shifted(last, -n), simulator()) for n in range(5, -1, -1))


@cache
def past_of(feed: str, last: str) -> pd.DataFrame:
    return accepted_from(list(months_to(feed, last)[:-1]))


def comparing(project: Project) -> dict[str, str]:
    """The query of each rule that refuses by the past, or by the communes of the geography.

    ``somme_des_communes`` sets two files of one month against each other: no damage of one tells it.
    """
    queries = {
        name: str(rule.arguments.get("query"))
        for name, rule in project.shared_rules.items()
        if rule.severity not in TOLERATED and name != "somme_des_communes"
    }
    tables = re.compile(r"\b(compared|series|expected)\b")
    return {
        name: query
        for name, query in queries.items()
        if re.search(rf"(FROM|JOIN) {tables.pattern}", query)
    }


class Gate:
    """Those rules on one month; what is declared is kept once, as is the past."""

    def __init__(self, last: str, tables: duckdb.DuckDBPyConnection) -> None:
        self.project, self.last, self.tables = simulator().project, last, tables
        self.keep(past_of(FEED, last))
        keep_declared(tables, self.project, [self.project.feeds[FEED]])

    def keep(self, past: pd.DataFrame) -> None:
        keep_past(self.tables, past.assign(feed=FEED), pd.DataFrame(columns=["feed", "name"]))

    def refusing(self, delivery: Delivery) -> set[str]:
        """The rules that a delivery does not meet; none where the reception refuses it already."""
        read = readings_of(self.project, delivery)
        if isinstance(read, str):
            return set()
        waiting = [Waiting(FEED, "delivery", delivery.name, "", read[1], read[1].months)]
        keep_delivered(self.tables, delivery_table(self.project, waiting), waiting)
        rules = comparing(self.project).items()
        return {name for name, query in rules if self.tables.execute(query).fetchone()}

    def after(self, damage: Damage) -> set[str]:
        delivery, past = deepcopy(months_to(FEED, self.last)[-1]), list(months_to(FEED, self.last)[:-1])
        delivery.past = deepcopy(past)
        damage.change(delivery)
        if delivery.past == past:
            return self.refusing(delivery)
        self.keep(accepted_from(delivery.past))
        found = self.refusing(delivery)
        self.keep(past_of(FEED, self.last))
        return found


@pytest.fixture(scope="module")
def refused() -> dict[str, list[set[str]]]:
    """By damage, the rules that refuse it in each of the three months."""
    found: dict[str, list[set[str]]] = {}
    wanted = set(comparing(simulator().project))
    for last in (ORDINARY, CHANGED, LATER):
        with scratch() as tables:
            gate = Gate(last, tables)
            for damage in TABLE:
                with suppress(NotApplicable):
                    if damage.told & wanted:
                        rules = gate.after(damage)
                        found.setdefault(damage.kind, []).append(rules)
    return found


@pytest.mark.slow
def test_what_a_rule_refuses_it_refuses_whatever_geography_changes(
    refused: dict[str, list[set[str]]],
) -> None:
    lost = {
        kind: ordinary - (changed & later)
        for kind, (ordinary, changed, later) in refused.items()
        if not ordinary <= changed & later
    }
    print(
        f"{len(refused)} damages in 3 months, {sum(len(rules) for months in refused.values() for rules in months)} refusals"
    )
    assert lost == {}


@pytest.mark.slow
def test_each_rule_that_refuses_by_the_past_is_met_in_each_geography(
    project: Project, refused: dict[str, list[set[str]]]
) -> None:
    met = set().union(*(set.intersection(*months) for months in refused.values()))
    assert set(comparing(project)) - met == set()


def found(project: Project, delivery: Delivery, past: pd.DataFrame) -> list[Finding]:
    """What is found of a delivery; nothing where the reception refuses it already."""
    read = readings_of(project, delivery)
    if isinstance(read, str):
        return []
    entry, reading = read
    waiting = Waiting(entry.id, entry.id, delivery.name, "", reading, reading.months)
    return findings_on(project, [waiting], [(entry.id, past)])


def refusing(project: Project, feed: str, last: str, damaged: Delivery) -> set[str]:
    return {f.rule for f in found(project, damaged, past_of(feed, last)) if f.refuses}


@pytest.mark.parametrize("feed", ["caf/logement", "caf/handicap"])
def test_an_undamaged_month_passes_in_a_new_geography(project: Project, feed: str) -> None:
    assert refusing(project, feed, CHANGED, months_to(feed, CHANGED)[-1]) == set()


def _times(delivery: Delivery, factor: int, codes: set[str]) -> None:
    for row in delivery.rows[1:]:
        if row[delivery.code] in codes:
            for place in delivery.values:
                if row[place].isdigit():
                    row[place] = str(int(row[place]) * factor)


def test_a_merged_commune_is_compared_with_the_communes_it_is_made_of(project: Project) -> None:
    """Its figures ten times too high are refused, though no month before has its own."""
    feed = "caf/logement"
    told = []
    for factor in (1, 10):
        delivery = deepcopy(months_to(feed, CHANGED)[-1])
        _times(delivery, factor, {"93066"})
        told.append(told_of_the_merged(project, delivery, past_of(feed, CHANGED)))
    assert told == [set(), {("cellule_demesuree", "93066"), ("evolution", "93066")}]


def test_half_of_what_a_commune_is_made_of_is_no_past(project: Project) -> None:
    """Pierrefitte alone, a quarter of them, is nothing to compare the merged Saint-Denis with."""
    feed = "caf/logement"
    past = past_of(feed, CHANGED)
    half = past[past["territory"] != "93066"]
    assert "93059" in set(half["territory"])
    assert told_of_the_merged(project, months_to(feed, CHANGED)[-1], half) == set()


def told_of_the_merged(project: Project, delivery: Delivery, past: pd.DataFrame) -> set[tuple[str, str]]:
    """Rules that compare the merged Saint-Denis with a past and are not met."""
    return {
        (f.rule, str(row["territory"]))
        for f in found(project, delivery, past)
        if not f.passed
        for row in f.rows
        if row.get("territory") == "93066" and row.get("previous")
    }
