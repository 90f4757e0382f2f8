"""Every kind of damage on every kind of feed is refused or signalled by the right rule; good files pass.

The deliveries are simulated, written as partners write them. ``ODDS_ALL_FAULTS=1`` damages all feeds
instead of one of each kind.
"""

import os
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.read_simulations import load_simulations
from odds_pipeline.demo.deliveries import sheet_of, write_deliveries
from odds_pipeline.demo.simulation import Simulator
from odds_pipeline.geography.territories import plain
from odds_pipeline.months import months_between
from odds_pipeline.quality.audit import audit
from odds_pipeline.quality.findings import Finding
from odds_pipeline.quality.tables import keep_declared, keep_past
from odds_pipeline.quality.waiting import Waiting
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.recognition import recognise
from odds_pipeline.reception.tables import Unreadable, open_tables
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.scratch import scratch
from tests.conftest import declared
from tests.judged import received_and_judged

from .faults import HARMLESS, TABLE, Damage, Delivery, NotApplicable

# One feed of each kind: cadence, level, one row a commune, a category, an establishment or an IRIS,
# month in the name, the header or a column, all communes or not, parts that add up.
KINDS = [
    "caf/handicap",
    "insee/mortalite",
    "drihl/lovac",
    "cpam/apl",
    "pole_emploi/defm_dares",
    "drihl/sitadel",
    "inspection_academique/ips_ecoles",
    "insee/equipements_sante",
    "cpam/ame",
    "prefecture/delinquance",
    "caf/iris",
]
ALL = sorted(load_simulations(Project.load())) if os.environ.get("ODDS_ALL_FAULTS") else KINDS
LAST = "2023-12"
ACCEPTED = ["variable", "month", "territory", "level", "geography", "value", "conf_status", "lines"]


@cache
def simulator() -> Simulator:
    project = declared()
    return Simulator(project, load_simulations(project), months_between("2017-01", LAST))


def good(feed: str, month: str, by: Simulator | None = None) -> Delivery:
    """The feed's simulated delivery of a month, with where its code and figures are."""
    sheet = sheet_of(by or simulator(), feed, month)
    rows = sheet.table()
    index = {plain(name): i for i, name in enumerate(rows[0])}
    columns = sheet.columns()
    places = {name: index[plain(sheet.name(column.names[0]))] for name, column in columns.items()}
    counted = [name for name, column in columns.items() if column.reduce == "count"]
    values = sorted({place for name, place in places.items() if name not in counted})
    feed_entry = sheet.entry.feed
    secret = next((m for m, kind in sheet.fmt.marks.items() if kind == "secret" and m), None)
    code = index[plain(sheet.name(sheet.fmt.territory.columns[-1]))]
    mixed = any(c.where or c.reduce for c in columns.values())
    parts = [
        (places[n], places[v.part_of])
        for n, v in feed_entry.variables.items()
        if v.part_of and n in places and v.part_of in places
    ]
    totals = [
        (places[total], [places[p] for p in own])
        for total, own in feed_entry.partitions
        if total in places and all(p in places for p in own)
    ]
    return Delivery(
        sheet.file_name() + ".csv", rows, code, values, sheet.fmt.decimal,
        secret, mixed, [], None, min(places.values()), totals, parts,
    )  # fmt: skip


@cache
def months_of(feed: str) -> tuple[str, ...]:
    calendar = simulator().project.feeds[feed].feed.calendar
    return tuple([m for m in simulator().months if calendar.has(m)][-5:])


@cache
def history(feed: str) -> tuple[Delivery, ...]:
    return tuple(good(feed, month) for month in months_of(feed))


def readings_of(project: Project, delivery: Delivery) -> tuple[FeedEntry, Reading] | str:
    """The one reading of a delivery, or what the reception answers instead."""
    try:
        (table,) = open_tables(delivery.name, delivery.bytes)
    except Unreadable:
        return "illisible"
    outcome = recognise(project, table)
    if not isinstance(outcome, Match):
        return "structure" if outcome.named else "mis de côté"
    reading = read(project, outcome)
    return (outcome.entry, reading) if reading.months else "structure"


def accepted_from(past: list[Delivery]) -> pd.DataFrame:
    """The observations of earlier deliveries, as the gate hands them to the audit."""
    found = [readings_of(simulator().project, one) for one in past]
    frames = [one[1].frame for one in found if not isinstance(one, str)]
    return pd.concat(frames)[ACCEPTED] if frames else pd.DataFrame(columns=ACCEPTED)


@cache
def usual_past(feed: str) -> pd.DataFrame:
    return accepted_from(list(history(feed)[:-1]))


def told(project: Project, feed: str, delivery: Delivery) -> dict[str, str]:
    """What the reception and the gate say of a delivery: rule → severity."""
    return told_together(project, {feed: delivery})[feed]


def told_together(project: Project, deliveries: dict[str, Delivery]) -> dict[str, dict[str, str]]:
    """The same of a delivery of each feed, audited at once as in a month of everything."""
    answers: dict[str, dict[str, str]] = {}
    readings, pasts = {}, []
    for feed, delivery in deliveries.items():
        found = readings_of(project, delivery)
        if isinstance(found, str):
            answers[feed] = {found: "critical"}
            continue
        entry, reading = found
        answers[feed], readings[feed] = (
            {},
            Waiting(entry.id, feed, delivery.name, "", reading, reading.months),
        )
        changed = delivery.past and [d.rows for d in delivery.past] != [
            d.rows for d in history(feed)[:-1]
        ]
        pasts.append((entry.id, accepted_from(delivery.past) if changed else usual_past(feed)))
    for feeds in unshared(project, list(readings)):
        past = [one for one in pasts if one[0] in feeds]
        for f in findings_on(project, [readings[feed] for feed in feeds], past):
            if not f.passed and f.severity != "info":
                answers[f.subject][f.rule] = f.severity
    return answers


def unshared(project: Project, feeds: list[str]) -> Iterator[list[str]]:
    """Feeds to audit at once: no two deliver the same variable, as in a batch of all that waits."""
    while feeds:
        taken: set[str] = set()
        now = []
        for feed in feeds:
            entry = project.feeds[feed]
            own = {entry.variable_id(name) for name in entry.feed.variables}
            if not own & taken:
                taken |= own
                now.append(feed)
        yield now
        feeds = [feed for feed in feeds if feed not in now]


def findings_on(
    project: Project, waiting: list[Waiting], pasts: list[tuple[str, pd.DataFrame]]
) -> list[Finding]:
    """The audit's, each feed after what was accepted of it."""
    places = ["variable", "month", "territory", "level", "geography"]
    # A file that tells no year replaces its own.
    accepted = pd.concat(
        [past.drop_duplicates(places, keep="last").assign(feed=feed) for feed, past in pasts]
    )
    with scratch() as tables:
        keep_past(tables, accepted, pd.DataFrame(columns=["feed", "name"]))
        keep_declared(tables, project, [project.feeds[one.feed] for one in waiting])
        return audit(project, waiting, tables)


def damaged(damage: Damage, feed: str) -> Delivery | None:
    """The feed's last delivery so damaged; none where that cannot be."""
    *past, last = history(feed)
    delivery = deepcopy(last)
    delivery.past = deepcopy(past)
    try:
        damage.change(delivery)
    except NotApplicable:
        return None
    return delivery


@pytest.mark.slow
@pytest.mark.parametrize("damage", TABLE, ids=[damage.kind for damage in TABLE])
def test_every_damage_is_told(project: Project, damage: Damage) -> None:
    deliveries = {feed: one for feed in ALL if (one := damaged(damage, feed))}
    found = told_together(project, deliveries)
    untold = {feed: sorted(rules) for feed, rules in found.items() if not damage.told & rules.keys()}
    refused = sum("critical" in rules.values() for rules in found.values())
    print(f"{damage.kind}: {refused} refusés, {len(found) - refused} signalés sur {len(ALL)} flux")
    assert untold == {}
    assert found.keys() == deliveries.keys()


def test_the_table_has_forty_kinds_each_met_by_some_feed() -> None:
    kinds = {damage.kind for damage in TABLE}
    assert len(kinds) == len(TABLE) >= 40

    met = {d.kind for d in TABLE if any(damaged(d, feed) for feed in KINDS)}
    assert met == kinds


@pytest.mark.parametrize("feed", ALL)
def test_what_changes_no_figure_is_read_the_same(project: Project, feed: str) -> None:
    def figures(delivery: Delivery) -> pd.DataFrame | str:
        found = readings_of(project, delivery)
        if isinstance(found, str):
            return found
        reading = found[1]
        assert reading.problems == ()
        return reading.frame.drop(columns=["line", "raw"])

    good = figures(history(feed)[-1])
    assert isinstance(good, pd.DataFrame)
    unlike = []
    for kind, change in HARMLESS:
        delivery = deepcopy(history(feed)[-1])
        try:
            change(delivery)
        except NotApplicable:
            continue
        found = figures(delivery)
        if isinstance(found, str) or not found.equals(good):
            unlike.append((kind, found if isinstance(found, str) else "figures"))
    assert unlike == []


@pytest.mark.parametrize(
    ("variable", "refused"),
    [
        ("caf.montant_aah", True),
        ("insee.niveau_vie_d1", True),
        ("insee.taux_pauvrete", True),
        ("insee.rfr_foyers", True),
        ("insee.impot_net", False),
        ("insee.part_impots", False),
    ],
)
def test_a_negative_is_refused_on_a_first_delivery_unless_its_variable_may_be_one(
    project: Project, variable: str, refused: bool
) -> None:
    """Net tax is below zero where credits exceed it, and Insee writes the share of taxes so."""
    feed = project.variables[variable][0].id
    delivery = deepcopy(history(feed)[-1])
    found = readings_of(project, delivery)
    assert not isinstance(found, str)
    place = [plain(name) for name in delivery.rows[0]].index(plain(found[1].columns[variable]))
    delivery.body[1][place] = "-12"
    found = readings_of(project, delivery)
    assert not isinstance(found, str)
    nothing = pd.DataFrame(columns=ACCEPTED)
    waiting = Waiting(feed, feed, delivery.name, "", found[1], found[1].months)
    findings = findings_on(project, [waiting], [(feed, nothing)])
    assert ("pas_trop_petit" in {f.rule for f in findings if f.refuses}) == refused


@pytest.mark.parametrize("feed", ["conseil_general/fsl", "cpam/ame"])
def test_the_month_before_under_a_new_name_is_told_however_small_or_few_its_figures(
    project: Project, feed: str
) -> None:
    delivery = deepcopy(history(feed)[-1])
    delivery.rows = deepcopy(history(feed)[-2].rows)
    assert told(project, feed, delivery)["copie_d_un_autre_mois"] == "critical"


@pytest.mark.parametrize(
    ("feed", "kind", "rule", "severity"),
    [
        ("adil/consultations", "codes triés sans les figures", "territoires_melanges", "critical"),
        (
            "drihl/loyers",
            "une autre population (la région pour le département)",
            "evolution_generale",
            "warning",
        ),
        ("prefecture/daho", "figures décalées d'une ligne", "territoires_melanges", "critical"),
        ("prefecture/daho", "une ligne « Ensemble » qui ne fait pas la somme", "lignes", "critical"),
        ("prefecture/expulsions", "deux colonnes échangées", "colonne_demesuree", "critical"),
        ("cpam/qpv", "un code qui n'existe pas", "territoires_connus", "critical"),
        # Of one month for ever: compared with what was accepted for it.
        ("insee/population_quartiers", "une colonne dix fois trop grande", "saut_d_unite", "critical"),
        ("insee/population_quartiers", "une colonne vidée", "valeurs_manquantes", "warning"),
    ],
)
def test_small_counts_and_rates_are_compared_too(
    project: Project, feed: str, kind: str, rule: str, severity: str
) -> None:
    delivery = deepcopy(history(feed)[-1])
    delivery.past = list(history(feed)[:-1])
    next(damage for damage in TABLE if damage.kind == kind).change(delivery)
    assert told(project, feed, delivery)[rule] == severity


@pytest.mark.parametrize("winters", [1, 2])
def test_a_column_that_falls_every_winter_is_no_fault(project: Project, winters: int) -> None:
    """A truce: the year before tells it from a column under another's title."""
    months = ["2022-12", "2023-09", "2023-10", "2023-11", "2023-12"]
    files = [good("prefecture/expulsions", month) for month in months]
    for file in [files[-1], files[0]][:winters]:
        file.scale(file.large(), 0.05)
    *past, last = files
    last.past = past
    found = told(project, "prefecture/expulsions", last)
    assert ("colonne_demesuree" in found) == (winters == 1)


@pytest.mark.parametrize("times", [100, 10, 0.1])
def test_a_cell_out_of_all_proportion_is_refused(project: Project, times: float) -> None:
    """A file cut in its last number, 756 for 756,167; a digit too many, or one that is lost."""
    delivery = deepcopy(history("caf/handicap")[-1])
    delivery.scale(delivery.large(), times, delivery.rank()[-3:-2])
    assert told(project, "caf/handicap", delivery)["cellule_demesuree"] == "critical"


def test_the_undamaged_deliveries_pass(project: Project) -> None:
    found = told_together(project, {feed: history(feed)[-1] for feed in ALL})
    assert {feed: rules for feed, rules in found.items() if "critical" in rules.values()} == {}
    assert found.keys() == set(ALL)


@pytest.mark.slow
def test_two_hundred_undamaged_deliveries_are_accepted(
    project: Project, home: Home, tmp_path: Path
) -> None:
    write_deliveries(project, tmp_path / "in", "2024-01", "2024-10", faults=False)
    receipts, judged = received_and_judged(project, home, [tmp_path / "in"])
    refused = {(j.file_name, f.rule) for j in judged for f in j.findings if f.refuses}
    assert refused == set()
    assert [r.file for r in receipts if r.feed is None] == []
    print(f"{len(judged)} undamaged deliveries accepted")
    assert len(judged) >= 200
