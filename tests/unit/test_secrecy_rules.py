"""Each rule that makes a figure secret by itself, on figures written by hand."""

from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.secrecy import Secrecy
from odds_pipeline.secrecy.derived import hide_values
from odds_pipeline.secrecy.remainders import remainders_table
from odds_pipeline.secrecy.rules import mark
from odds_pipeline.secrecy.structure import Structure
from tests.declarations.test_declarations import FEED, FEED_FILE, small

__all__ = ["small"]

VARIABLES = """\
  foyers: {label: Foyers, unit: foyers}
  foyers_seuls: {label: Foyers seuls, unit: foyers, part_of: foyers}
  montant: {label: Montant, unit: eur, counted_by: foyers, largest: [premier, second]}
  premier: {label: Premier montant, unit: eur}
  second: {label: Second montant, unit: eur}
  classes: {label: Classes, unit: classes}
"""
COLUMNS = "columns: {foyers: A, foyers_seuls: B, montant: C, premier: D, second: E, classes: F}\n"


def marked(small: Path, rule: str, **figures: float) -> dict[str, str | None]:
    """Why each figure of Bobigny is hidden; ``rule`` is the feed's, as YAML.

    Another commune, and the month before, have figures that no rule but those of shares hides.
    """
    text = FEED.replace(FEED[FEED.index("  foyers: {") : FEED.index("columns:")], VARIABLES)
    text = text.replace(text[text.index("columns: {foyers") : text.index("formats:")], COLUMNS)
    text = text.replace("variables:", f"secrecy: {{{rule}, reference: Règle d'essai}}\nvariables:")
    (small / FEED_FILE).write_text(text)
    project = Project.load(small)
    names = [f"adil.{name}" for name in figures]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE numbered_inputs AS SELECT unnest(?) AS variable, unnest(?) AS v",
            [names, list(range(len(names)))],
        )
        connection.execute(
            "CREATE TABLE places AS SELECT unnest([1, 2]) AS p, unnest(['93008', '93001']) AS territory, "
            "'commune' AS level, 2024 AS geography"
        )
        connection.execute(
            "CREATE TABLE available AS SELECT unnest(?) AS v, 1 AS p, 24253 AS t, unnest(?) AS value, "
            "'A' AS obs_status, NULL::VARCHAR AS hidden_by, NULL::DOUBLE AS lower_bound, true AS delivered",
            [list(range(len(names))), [float(x) for x in figures.values()]],
        )
        connection.execute(
            "INSERT INTO available SELECT * REPLACE (o.p AS p, o.t AS t, 1e6 AS value) "
            "FROM available, (VALUES (2, 24253), (1, 24252)) AS o(p, t)"
        )
        mark(connection, Structure.of(project))
        rows = connection.execute(
            "SELECT split_part(variable, '.', 2), hidden_by FROM marked WHERE p = 1 AND t = 24253"
        ).fetchall()
        assert connection.execute("SELECT count(*) FROM marked").fetchone() == (3 * len(names),)
    return dict(rows)


@pytest.mark.parametrize(
    ("foyers", "expected"), [(0, None), (1, "primaire"), (4, "primaire"), (5, None)]
)
def test_threshold(small: Path, foyers: float, expected: str | None) -> None:
    assert marked(small, "threshold: 5", foyers=foyers) == {"foyers": expected}


def test_only_the_units_of_the_rule(small: Path) -> None:
    found = marked(small, "threshold: 5, units: [foyers]", foyers=3, classes=3)
    assert found == {"foyers": "primaire", "classes": None}


@pytest.mark.parametrize(("foyers", "expected"), [(3, "primaire"), (5, None), (0, None)])
def test_an_amount_is_as_secret_as_its_count(small: Path, foyers: float, expected: str | None) -> None:
    assert marked(small, "threshold: 5", foyers=foyers, montant=900)["montant"] == expected


@pytest.mark.parametrize(("first", "expected"), [(85, None), (86, "primaire")])
def test_dominance_of_the_largest(small: Path, first: float, expected: str | None) -> None:
    rule = "threshold: 0, dominance: {largest: 1, share: 85}"
    assert marked(small, rule, montant=100, premier=first, second=5)["montant"] == expected


@pytest.mark.parametrize(("second", "expected"), [(30, "primaire"), (20, None)])
def test_dominance_of_the_two_largest(small: Path, second: float, expected: str | None) -> None:
    rule = "threshold: 0, dominance: {largest: 2, share: 85}"
    assert marked(small, rule, montant=100, premier=60, second=second)["montant"] == expected


@pytest.mark.parametrize(("second", "expected"), [(35, "primaire"), (34, None)])
def test_p_percent(small: Path, second: float, expected: str | None) -> None:
    """The second knows its own: the first, 60, is known to within what remains, 5 or 6, against 6."""
    assert (
        marked(small, "threshold: 0, p_percent: 10", montant=100, premier=60, second=second)["montant"]
        == expected
    )


def test_contributions_are_never_published(small: Path) -> None:
    assert marked(small, "threshold: 0", montant=100, premier=60)["premier"] == "primaire"


@pytest.mark.parametrize(("foyers", "expected"), [(49, "primaire"), (50, None)])
def test_least_population(small: Path, foyers: float, expected: str | None) -> None:
    rule = "threshold: 0, population: {variable: adil.foyers, minimum: 50}"
    found = marked(small, rule, foyers=foyers, classes=20)
    assert found == {"foyers": None, "classes": expected}


@pytest.mark.parametrize(
    ("indicator", "numerator", "denominator", "hidden"),
    [
        # The CAF's threshold is 5, and no rate of it over less than 50 foyers.
        ("part_foyers_monoparents", 4, 100, True),
        ("part_foyers_monoparents", 5, 49, True),
        ("part_foyers_monoparents", 5, 50, False),
        ("part_foyers_monoparents", 0, 50, False),
        # Euros over thousands of foyers fiscaux: 8.5 thousand foyers are not 8.5 foyers.
        ("rfr_moyen_foyers", 300_000, 8.5, False),
        ("rfr_moyen_foyers", 300_000, 0.010, True),
        # A change of two job seekers is nobody's group.
        ("evolution_population_6_ans", -2, 1000, False),
    ],
)
@pytest.mark.parametrize("whole", [None, "population_municipale"])
def test_rules_on_results(
    project: Project,
    indicator: str,
    numerator: float,
    denominator: float,
    hidden: bool,
    whole: str | None,
) -> None:
    """Of a proportion, and of an indicator that is composed of it."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE computed AS SELECT coalesce($3, $4) AS indicator, '2024-01' AS month, '93008' AS territory, "
            "'commune' AS level, 2024 AS geography, 1.5 AS value, 'A' AS obs_status, "
            "'F' AS conf_status, NULL::VARCHAR AS hidden_by, $1::DOUBLE AS numerator, $2::DOUBLE AS denominator",
            [None if whole else numerator, None if whole else denominator, whole, indicator],
        )
        connection.execute(
            "CREATE TABLE products AS SELECT ? AS indicator, ?::VARCHAR AS whole, 1 AS t, "
            "'93008' AS territory, 2024 AS geography, ?::DOUBLE AS numerator, ?::DOUBLE AS denominator",
            [indicator, whole, numerator, denominator],
        )
        connection.execute("CREATE TABLE months AS SELECT 1 AS t, '2024-01' AS month")
        hide_values(connection, project)
        row = connection.execute(
            "SELECT value, obs_status, conf_status, hidden_by, numerator, denominator FROM protected"
        ).fetchone()
    shown = (1.5, "A", "F", None, *((None, None) if whole else (numerator, denominator)))
    assert row == ((None, "Q", "N", "resultat", None, None) if hidden else shown)


@pytest.mark.parametrize(
    ("ranks", "expected"), [(True, [None, 0, 50, 100]), (False, [None, 30, 60, 90])]
)
def test_ranks_are_taken_among_what_may_be_read(
    project: Project, ranks: bool, expected: list[float | None]
) -> None:
    """The place among all would tell how many of the hidden ones are above; other values stay theirs."""
    formulas = {name: entry.indicator.parsed for name, entry in project.indicators.items()}
    name = next(
        n for n, f in formulas.items() if not f.simple and (f.over == "percentile_rank") == ranks
    )
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE computed AS SELECT ? AS indicator, '2024-01' AS month, "
            "unnest(['93001', '93005', '93006', '93007']) AS territory, 'commune' AS level, "
            "2024 AS geography, unnest([NULL, 30.0, 60.0, 90.0]) AS value, 'A' AS obs_status, "
            "'F' AS conf_status, unnest(['primaire', NULL, NULL, NULL]) AS hidden_by, "
            "NULL::DOUBLE AS numerator, NULL::DOUBLE AS denominator",
            [name],
        )
        connection.execute(
            "CREATE TABLE products (indicator VARCHAR, whole VARCHAR, t INTEGER, territory VARCHAR, "
            "geography INTEGER, numerator DOUBLE, denominator DOUBLE)"
        )
        connection.execute("CREATE TABLE months AS SELECT 1 AS t, '2024-01' AS month")
        hide_values(connection, project)
        found = connection.execute("SELECT value FROM protected ORDER BY territory").fetchall()
    assert [value for (value,) in found] == expected


@pytest.mark.parametrize(
    ("rules", "left"),
    [("threshold: 5", 5), ("threshold: 5, rounding: 5", 0), ("threshold: 5, units: [classes]", 0)],
)
def test_what_a_published_share_leaves_out_is_under_the_rule_of_both(
    small: Path, rules: str, left: int
) -> None:
    """12 of 15 tells 3, whether or not the contract says that the one is a part of the other."""
    text = FEED.replace(", part_of: foyers}", "}")
    text = text.replace("variables:", f"secrecy: {{{rules}, reference: Règle d'essai}}\nvariables:")
    (small / FEED_FILE).write_text(text)
    found = remainders_table(Project.load(small))
    signs = {(row.variable, row.sign, row.whole, row.threshold) for row in found.itertuples()}
    two = {("adil.foyers", 1.0, True, left), ("adil.foyers_seuls", -1.0, False, left)}
    assert signs == (two if left else set())


@pytest.mark.parametrize("threshold", [1, 2])
def test_a_threshold_that_hides_nothing_is_refused(threshold: int) -> None:
    with pytest.raises(ValidationError, match="would be known"):
        Secrecy(threshold=threshold, reference="Essai")
