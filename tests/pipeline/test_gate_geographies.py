"""The gate compares with the past whatever the geography: what is refused in a month is refused in any."""

from copy import deepcopy
from functools import cache

import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_simulations import load_simulations
from odds_pipeline.demo.simulation import Simulator
from odds_pipeline.months import months_between, shifted
from odds_pipeline.quality.findings import Finding

from .faults import TABLE, Delivery, NotApplicable
from .test_faults import accepted_from, findings_on, good, readings_of

FEEDS = ["caf/logement", "caf/handicap"]
ORDINARY, CHANGED = "2024-12", "2025-01"
"""A month like any other; the first one of a geography in which two communes have merged."""


@cache
def simulator() -> Simulator:
    project = Project.load()
    return Simulator(project, load_simulations(project), months_between("2023-07", CHANGED))


@cache
def months_to(feed: str, last: str) -> tuple[Delivery, ...]:
    return tuple(good(feed, shifted(last, -n), simulator()) for n in range(5, -1, -1))


@cache
def past_of(feed: str, last: str) -> pd.DataFrame:
    return accepted_from(list(months_to(feed, last)[:-1]))


def found(project: Project, delivery: Delivery, past: pd.DataFrame) -> list[Finding]:
    """What is found of a delivery; nothing where the reception refuses it already."""
    read = readings_of(project, delivery)
    return [] if isinstance(read, str) else findings_on(project, read[0], delivery.name, read[1], past)


def refusing(project: Project, feed: str, last: str, damaged: Delivery) -> set[str]:
    return {f.rule for f in found(project, damaged, past_of(feed, last)) if f.refuses}


@pytest.mark.parametrize("feed", FEEDS)
def test_a_damage_is_refused_whatever_geography_changes(project: Project, feed: str) -> None:
    missed, refused = [], 0
    for damage in TABLE:
        told = []
        for last in (ORDINARY, CHANGED):
            delivery = deepcopy(months_to(feed, last)[-1])
            delivery.past = list(months_to(feed, last)[:-1])
            try:
                damage.change(delivery)
            except NotApplicable:
                break
            told.append(refusing(project, feed, last, delivery))
        if len(told) == 2 and told[0]:
            refused += 1
            if not told[1]:
                missed.append((damage.kind, told[0]))
    assert missed == []
    assert refused >= 20


@pytest.mark.parametrize("feed", FEEDS)
def test_an_undamaged_month_passes_in_a_new_geography(project: Project, feed: str) -> None:
    assert refusing(project, feed, CHANGED, months_to(feed, CHANGED)[-1]) == set()


def _times(delivery: Delivery, factor: int, codes: set[str]) -> None:
    for row in delivery.rows[1:]:
        if row[delivery.code] in codes:
            for place in delivery.values:
                if row[place].isdigit():
                    row[place] = str(int(row[place]) * factor)


def test_a_merged_commune_is_compared_with_the_communes_it_is_made_of(project: Project) -> None:
    """Its figures ten times too high are told, though no month before has its own."""
    feed = "caf/logement"
    told = []
    for factor in (1, 10):
        delivery = deepcopy(months_to(feed, CHANGED)[-1])
        _times(delivery, factor, {"93066"})
        told.append(told_of_the_merged(project, delivery, past_of(feed, CHANGED)))
    assert told == [set(), {("evolution", "93066")}]


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
