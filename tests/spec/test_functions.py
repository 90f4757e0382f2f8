"""Functions of the formula language beside other implementations of the same, through the real statements;
and what each does of a figure that is hidden or missing."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PHStatsMethods import ph_dsr, ph_ISRatio
from scipy.stats import percentileofscore

from odds_pipeline.declarations.formula import Term, functions
from odds_pipeline.declarations.formula.functions import FUNCTIONS
from odds_pipeline.declarations.formula.values import Value
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.comparison import interval_of
from odds_pipeline.indicators.compute import tables_of
from odds_pipeline.indicators.crossings import crossings
from odds_pipeline.months import months_between, shifted
from odds_pipeline.secrecy.derived import DERIVATIONS, UnknownDerivationError, hide_values, value_rules
from tests.conftest import declared
from tests.spec import given
from tests.spec.test_comparisons import _interval

MONTH = "2020-12"
Row = tuple[Any, ...]


def row(variable: str, value: float | None, territory: str = given.OWN, month: str = MONTH, conf: str = "F") -> Row:  # fmt: skip
    level = {"93": "departement", given.EPT: "ept"}.get(territory, "iris" if len(territory) == 9 else "commune")  # fmt: skip
    status = "Q" if conf == "C" else "A" if value is not None else "L"
    return (variable, month, territory, level, 2024, value, status, conf, "d", None)


def told(project: Project, indicator: str, rows: list[Row], hide: bool = False) -> pd.DataFrame:
    """Values of one indicator by territory and month."""
    tables = tables_of(project, [indicator])
    with given.computed(project, rows, tables) as connection:
        if hide:
            hide_values(connection, project)
        table = "protected" if hide else "computed"
        found = connection.execute(f"FROM {table} WHERE geography = 2024").df()
    return found.set_index(["territory", "month"]).sort_index()


def value(project: Project, indicator: str, rows: list[Row], territory: str = given.OWN) -> float:
    return float(told(project, indicator, rows).loc[(territory, MONTH), "value"])


AGES = ("0_15", "16_24", "25_59", "60_74", "75_plus")
# Of three communes: observed, insured by age; and the département's insured and ill.
COMMUNES = {
    "93008": (1760, (2500, 1000, 4500, 1500, 500)),
    "93010": (310, (900, 350, 1600, 700, 90)),
    "93061": (95, (300, 100, 500, 80, 20)),
}
INSURED, ILL = (125_000, 75_000, 200_000, 75_000, 25_000), (40_000, 40_000)


def ald() -> list[Row]:
    rows = [row("cpam.assures_ald", n, code) for code, (n, _) in COMMUNES.items()]
    people = {**{code: ages for code, (_, ages) in COMMUNES.items()}, "93": INSURED}
    rows += [
        row(f"cpam.assures_{age}", n, code)
        for code, own in people.items()
        for age, n in zip(AGES, own, strict=True)
    ]
    rows += [row("cpam.assures_ald_60_plus", ILL[1], "93"), row("cpam.assures_ald", sum(ILL), "93")]
    return rows


def test_indirect_standardisation_is_that_of_phstatsmethods(project: Project) -> None:
    """Observed over expected, with the interval that public-health observatories print."""
    name = "indice_ald_standardise_age"
    assert interval_of(project, project.indicators[name].indicator) == "byar"
    bands = pd.DataFrame(
        [
            (code, observed, sum(ages[a:b]), ill, sum(INSURED[a:b]))
            for code, (observed, ages) in COMMUNES.items()
            for (a, b), ill in zip(((0, 3), (3, 5)), ILL, strict=True)
        ],
        columns=["code", "observed", "people", "ref_ill", "ref_people"],
    )
    bands["observed"] = bands["observed"].where(~bands["code"].duplicated(), 0)
    wanted = ph_ISRatio(
        bands, "observed", "people", "ref_ill", "ref_people", "code", refvalue=100
    ).set_index("code")
    found = told(project, name, ald()).xs(MONTH, level="month").loc[list(COMMUNES)]
    assert found["value"].tolist() == pytest.approx(wanted.loc[list(COMMUNES), "Value"].tolist())
    assert found["denominator"].tolist() == pytest.approx(
        wanted["Expected"].loc[list(COMMUNES)].tolist()
    )
    limits = _interval(project, name, list(zip(found["numerator"], found["denominator"], strict=True)), 100)  # fmt: skip
    assert limits["ci_low"].tolist() == pytest.approx(wanted["lower_95_ci"].tolist())
    assert limits["ci_high"].tolist() == pytest.approx(wanted["upper_95_ci"].tolist())


def test_direct_standardisation_is_that_of_phstatsmethods(project: Project) -> None:
    ages = {"15_24": (2700, 9000, 200_000), "25_54": (24_000, 32_000, 700_000), "55_64": (4000, 10_000, 200_000)}  # fmt: skip
    bands = pd.DataFrame(ages.values(), columns=["n", "people", "standard"]).assign(code="93008")
    wanted = ph_dsr(bands, "n", "people", "standard", "code", multiplier=100, euro_standard_pops=False)
    rows = [row(f"insee.actifs_occupes_{age}", n) for age, (n, _, _) in ages.items()]
    for code, place in ((given.OWN, 1), ("93", 2)):
        rows += [row(f"insee.pop_{age}", ages[age][place], code) for age in ("15_24", "25_54")]
        rows.append(row("insee.pop_15_64", sum(own[place] for own in ages.values()), code))
    assert value(project, "taux_emploi_standardise_age", rows) == pytest.approx(wanted["Value"][0])


def test_dissimilarity_is_duncan_s(project: Project) -> None:
    draw = np.random.default_rng(5)
    one, other = draw.integers(10, 5000, (2, len(given.PARTS)))
    wanted = 50 * np.abs(one / one.sum() - other / other.sum()).sum()
    rows = [
        row(f"insee.pop_15_plus_{who}", float(n), code)
        for who, own in (("ouvriers", one), ("cadres", other))
        for code, n in zip(given.PARTS, own, strict=True)
    ]
    assert value(project, "dissimilarite_ouvriers_cadres", rows, given.EPT) == pytest.approx(wanted)
    lacking = told(project, "dissimilarite_ouvriers_cadres", rows[1:])
    assert lacking.loc[(given.EPT, MONTH), "obs_status"] == "O"  # eight communes are not the EPT
    hidden = [row(rows[0][0], None, rows[0][2], conf="C"), *rows[1:]]
    one_hidden = told(project, "dissimilarite_ouvriers_cadres", hidden)
    assert one_hidden.loc[(given.EPT, MONTH), ["obs_status", "conf_status"]].tolist() == ["Q", "C"]


def over_parts(places: list[str], *pairs: tuple[str, Any]) -> list[Row]:
    return [
        row(v, None if n is None else float(n), code)
        for v, own in pairs
        for code, n in zip(places, own, strict=True)
    ]


@pytest.mark.parametrize(
    ("indicator", "one", "other", "places", "whole"),
    [
        ("concentration_hlm", "insee.locataires_hlm", "insee.residences_principales", given.PARTS, given.EPT),
        ("concentration_rsa_iris", "caf.rsa_iris", "caf.allocataires_iris", given.IRIS, given.GOURNAY),
    ],
)  # fmt: skip
def test_concentration_is_gini_s(
    project: Project, indicator: str, one: str, other: str, places: list[str], whole: str
) -> None:
    """Half the mean gap between parts, each weighing what it has of the whole, over the mean; and the
    surface under Lorenz's line, by trapezes."""
    draw = np.random.default_rng(7)
    y = draw.integers(200, 5000, len(places))
    x = (y * draw.uniform(0.05, 0.9, len(places))).astype(int)
    share, weight = x / y, y / y.sum()
    gaps = np.abs(share[:, None] - share[None, :])
    wanted = 100 * (weight[:, None] * weight[None, :] * gaps).sum() / (2 * (weight * share).sum())
    order = np.argsort(share)
    line = np.concatenate([[0], np.cumsum(x[order]) / x.sum()])
    across = np.concatenate([[0], np.cumsum(y[order]) / y.sum()])
    assert wanted == pytest.approx(100 * (1 - 2 * np.trapezoid(line, across)))
    rows = over_parts(places, (one, x), (other, y))
    assert value(project, indicator, rows, whole) == pytest.approx(wanted)
    lacking = told(project, indicator, rows[1:])
    assert lacking.loc[(whole, MONTH), "obs_status"] == "O"  # all parts but one are not the whole
    hidden = [row(one, None, places[0], conf="C"), *rows[1:]]
    found = told(project, indicator, hidden).loc[(whole, MONTH), ["obs_status", "conf_status"]]
    assert found.tolist() == ["Q", "C"]
    alike = over_parts(places, (one, 3 * y), (other, 10 * y))
    assert value(project, indicator, alike, whole) == pytest.approx(0, abs=1e-9)


def test_a_share_in_a_class_is_that_of_pandas(project: Project) -> None:
    """2.5 is not below 2.5; a commune that is hidden hides the share."""
    name, people, apl = "part_sous_dense_generalistes", "cpam.population_std_generalistes", "cpam.apl_generalistes"  # fmt: skip
    own = pd.DataFrame(
        {
            "n": [51_000, 34_000, 48_000, 26_000, 9_000, 30_000, 22_000, 24_000, 44_000],
            "apl": [2.49, 2.5, 3.1, 1.2, 4.0, 2.499, 2.6, 0.0, 7.3],
        }
    )
    wanted = own.groupby(pd.cut(own["apl"], [0, 2.5, 99], right=False), observed=True)["n"].sum()
    rows = over_parts(given.PARTS, (people, own["n"]), (apl, own["apl"]))
    assert value(project, name, rows, given.EPT) == pytest.approx(100 * wanted.iloc[0] / own["n"].sum())
    none = over_parts(given.PARTS, (people, own["n"]), (apl, own["apl"] + 3))
    assert value(project, name, none, given.EPT) == 0
    hidden = [r for r in rows if r[:3:2] != (apl, "93010")] + [row(apl, None, "93010", conf="C")]
    assert told(project, name, hidden).loc[(given.EPT, MONTH), "conf_status"] == "C"


def unemployment(rates: dict[str, float | None]) -> list[Row]:
    rows = [row("insee.actifs_15_64", 1000, code) for code in rates]
    return rows + [
        row("insee.chomeurs_15_64", n, code, conf="C" if n is None else "F") for code, n in rates.items()
    ]


def test_a_percentile_rank_is_that_of_scipy(project: Project) -> None:
    rates = dict(zip(given.PARTS, (150, 100, 140, 150, 200, 90, 150, 300, 80), strict=True))
    found = told(project, "rang_chomage", unemployment(rates)).xs(MONTH, level="month")["value"]
    for code, own in rates.items():
        others = [n for other, n in rates.items() if other != code]
        assert found[code] == pytest.approx(percentileofscore(others, own, kind="strict"))


def test_a_hidden_value_has_no_rank_and_counts_in_none(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hidden by its producer, or by the rule on results: the others are ranked as if it were not there."""
    shown = {"93006": 100, "93010": 140, "93045": 200}
    alone = told(project, "rang_chomage", unemployment(shown)).xs(MONTH, level="month")["value"]
    hidden = told(project, "rang_chomage", unemployment({**shown, given.OWN: None}))
    assert hidden.loc[(given.OWN, MONTH), "conf_status"] == "C"
    assert hidden.xs(MONTH, level="month")["value"].drop(given.OWN).equals(alone)
    monkeypatch.setattr(Project, "threshold_of", lambda *_: 50)
    few = told(project, "rang_chomage", unemployment({**shown, given.OWN: 3}), hide=True)
    assert few.loc[(given.OWN, MONTH), "hidden_by"] == "resultat"
    assert few.xs(MONTH, level="month")["value"].drop(given.OWN).equals(alone)


FLOW = "prefecture.assignations"


def flow(figures: list[float | None], conf: str = "F") -> list[Row]:
    months = months_between("2021-01", shifted("2020-12", len(figures)))
    return [
        row(FLOW, n, month=m, conf="F" if n is not None else conf)
        for m, n in zip(months, figures, strict=True)
    ] + [row("insee.locataires", 1000, month="2019-01")]


def test_twelve_months_are_those_of_pandas_rolling_sum(project: Project) -> None:
    """Of the calendar: a month that lacks, is missing or is hidden leaves the twelve that hold it without a total."""
    figures: list[float | None] = [float(n * n % 17) for n in range(30)]
    wanted = pd.Series(figures).rolling(12).sum().tolist()
    found = told(project, "assignations_12_mois_pour_1000", flow(figures)).loc[given.OWN]["value"]
    assert found.tolist() == pytest.approx(wanted, nan_ok=True)
    figures[10] = None
    for conf, status in (("F", "L"), ("C", "Q")):
        holed = told(project, "assignations_12_mois_pour_1000", flow(figures, conf)).loc[given.OWN]
        assert holed["value"].tolist()[22:] == pytest.approx(wanted[22:])
        assert holed["value"][11:22].isna().all() and set(holed["obs_status"][11:22]) == {status}
    # A break is crossed by the eleven months that rest on both sides of it.
    declared = project.indicators["assignations_12_mois_pour_1000"].indicator
    assert crossings(project, declared) == [("2020-03", "2021-02")]
    gone = [r for r in flow(figures) if r[1] != holed.index[10]]
    assert set(told(project, "assignations_12_mois_pour_1000", gone).loc[given.OWN]["obs_status"][11:21]) == {"O"}  # fmt: skip


def test_growth_over_months_is_compounded_over_a_year(project: Project) -> None:
    rows = [
        row("pole_emploi.defm_abc", 10_201, month=MONTH),
        row("pole_emploi.defm_abc", 10_100, month="2020-09"),
    ]
    # 1 % in three months, four times: 1.01 to the fourth.
    assert value(project, "evolution_defm_abc_3_mois", rows) == pytest.approx(4.060401)


def test_a_mean_is_weighed_as_numpy_does(project: Project) -> None:
    figures, weights = (86.4, 91.7), (6120, 1987)
    rows = [
        row(f"inspection_academique.{who}", n, month="2023-09")
        for kind, f, w in zip(("ecoles", "colleges"), figures, weights, strict=True)
        for who, n in ((f"ips_{kind}", f), (f"eleves_ips_{kind}", w))
    ]
    found = told(project, "ips_moyen_ecoles_colleges", rows).loc[(given.OWN, "2023-09"), "value"]
    assert found == pytest.approx(np.average(figures, weights=weights))


PANEL = ("93008", "93010", "93061")
YEARS = range(2010, 2023)


def panel(
    variable: str, low: int, high: int, month: str = "12", seed: int = 11
) -> tuple[list[Row], pd.DataFrame]:
    """Figures of three communes and the département over thirteen years, one of them missing; the same as a
    table of months by territory."""
    draw = np.random.default_rng(seed)
    months = [f"{year}-{month}" for year in YEARS]
    table = pd.DataFrame(
        draw.integers(low, high, (len(months), 4)).astype(float), index=months, columns=[*PANEL, "93"]
    )
    table.iloc[4, 1] = np.nan
    rows = [
        row(variable, None if pd.isna(n) else float(n), code, m)
        for code, own in table.items()
        for m, n in own.items()
    ]
    return rows, table


def agrees(project: Project, indicator: str, rows: list[Row], wanted: pd.DataFrame) -> None:
    """The same values in the same months of the same communes, and none where pandas has none."""
    found = told(project, indicator, rows)["value"].unstack("territory").reindex(wanted.index)
    assert wanted[list(PANEL)].notna().sum().sum() > 12
    pd.testing.assert_frame_equal(
        found[list(PANEL)].astype(float), wanted[list(PANEL)], check_names=False
    )


def test_changes_growth_and_bases_are_those_of_pandas(project: Project) -> None:
    rows, n = panel("insee.part_jeunes_non_inseres", 5, 40)
    agrees(project, "evolution_part_jeunes_non_inseres", rows, n.diff(5))
    rows, n = panel("insee.population_municipale", 900, 90_000, "01")
    agrees(project, "evolution_annuelle_population_6_ans", rows, 100 * ((n / n.shift(6)) ** (1 / 6) - 1))
    agrees(project, "population_base_100", rows, 100 * n / n.loc["2013-01"])
    rows, n = panel("prefecture.cambriolages", 50, 9000)
    agrees(project, "evolution_cambriolages_1_an", rows, 100 * n.pct_change(1, fill_method=None))
    rows, n = panel("caf.foyers_rsa", 50, 9000)
    broken = n.index.isin(["2014-12", "2016-12", "2017-12"])  # declared breaks: no change across one
    agrees(
        project,
        "evolution_rsa_1_an",
        rows,
        100 * n.pct_change(1, fill_method=None)[~broken].reindex(n.index),
    )


def test_a_stock_of_the_year_before_is_shifted_as_pandas_does(project: Project) -> None:
    vacant, v = panel("drihl.logements_vacants_2_ans", 1, 90)
    homes, h = panel("drihl.logements_prives", 1000, 9000, seed=12)
    agrees(project, "vacance_longue_pour_100_logements", [*vacant, *homes], 100 * v / h.shift(1))


def test_pooled_years_are_pandas_rolling_sums(project: Project) -> None:
    births, b = panel("insee.naissances", 0, 30)
    people, n = panel("insee.population_municipale", 900, 2500, seed=12)
    wanted = 1000 * b.rolling(3).sum() / n.rolling(3).sum()
    agrees(project, "natalite_moyenne_3_ans", [*births, *people], wanted)


def test_a_ratio_to_the_departement_divides_by_its_row(project: Project) -> None:
    rows, n = panel("insee.niveau_vie_median", 12_000, 31_000)
    agrees(project, "niveau_vie_relatif_departement", rows, 100 * n.div(n["93"], axis=0))


def test_a_twelve_month_mean_is_pandas_rolling_mean(project: Project) -> None:
    figures = [float(n * n % 211) for n in range(30)]
    months = months_between("2021-01", shifted("2020-12", 30))
    rows = [row("pole_emploi.defm_abc", n, month=m) for m, n in zip(months, figures, strict=True)]
    found = told(project, "defm_abc_moyenne_12_mois", rows).loc[given.OWN]["value"]
    assert found.tolist() == pytest.approx(pd.Series(figures).rolling(12).mean().tolist(), nan_ok=True)


def test_the_total_of_a_year_is_pandas_sum_by_year(project: Project) -> None:
    """Of January to December, dated December; a year that lacks a month has none."""
    name, flow = "informations_preoccupantes_pour_1000", "conseil_general.informations_preoccupantes"
    months = [m for m in months_between("2017-01", "2020-12") if m != "2019-05"]
    figures = pd.Series(np.random.default_rng(3).integers(0, 60, len(months)).astype(float), months)
    rows = [row(flow, float(n), month=m) for m, n in figures.items()]
    rows.append(row("insee.pop_0_17", 800, month="2017-01"))
    found = told(project, name, rows).loc[given.OWN]["value"].dropna()
    by_year = figures.groupby(figures.index.str[:4]).agg(["sum", "size"])
    wanted = by_year.loc[by_year["size"] == 12, "sum"] * 1000 / 800
    assert found.to_dict() == pytest.approx({f"{year}-12": n for year, n in wanted.items()})
    assert list(found.index) == ["2017-12", "2018-12", "2020-12"]


def called() -> list[tuple[str, str]]:
    """Each function with one declared indicator that calls it."""
    project = declared()
    return [
        (name, entry.id)
        for name in FUNCTIONS
        for entry in [
            next((e for e in project.indicators.values() if name in e.indicator.parsed.functions), None)
        ]
        if entry
    ]


def example(project: Project, indicator: str, place: str) -> Iterator[tuple[Term, list[Row]]]:
    """The figures of a worked example, input by input, of the months that its windows hold, for ``place``
    instead of the example's own."""
    entry = project.indicators[indicator]
    for term in {t.key: t for t in entry.indicator.parsed.terms}.values():
        month = term.month or shifted(MONTH, -term.lag)
        months = months_between(shifted(month, -11), month) if term.window else [month]
        read = [(place if c == given.OWN else c, x) for c, _, x in given.where_read(entry, term)]
        yield term, [row(term.variable, x / len(months), c, m) for c, x in read for m in months]


def hidden(rows: list[Row]) -> list[Row]:
    """The same, the first one hidden by its producer."""
    return [(*rows[0][:5], None, "Q", "C", *rows[0][8:]), *rows[1:]]


@pytest.mark.parametrize(("function", "indicator"), called())
def test_a_hidden_figure_hides_the_result_of_each_function(
    project: Project, function: str, indicator: str
) -> None:
    """Each input in turn, each in a commune of its own; those of the reference, for all communes."""
    formula = project.indicators[indicator].indicator.parsed
    keys = list(dict.fromkeys(t.key for t in formula.terms if not t.at))
    places = keys[:1] if formula.over else keys
    rows: list[Row] = []
    for key, place in zip(places, given.PARTS, strict=False):
        for term, own in example(project, indicator, place):
            if not term.at or place == given.OWN:
                rows += hidden(own) if term.key == key else own
    found = told(project, indicator, rows).xs(MONTH, level="month")
    where = [given.EPT] if formula.parts else given.PARTS[: len(places)]
    assert found.loc[where, "value"].isna().all() and set(found.loc[where, "conf_status"]) == {"C"}
    for at in [t for t in formula.terms if t.at][:1]:
        rows = [r for t, own in example(project, indicator, given.OWN) for r in (hidden(own) if t.key == at.key else own)]  # fmt: skip
        assert told(project, indicator, rows).loc[(given.OWN, MONTH), "conf_status"] == "C"


def test_each_function_has_its_rule_of_secrecy_and_an_indicator() -> None:
    assert set(DERIVATIONS) == set(FUNCTIONS)
    assert set(FUNCTIONS) == {name for name, _ in called()}


def test_a_function_without_a_rule_of_secrecy_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubled(value: Value) -> Value:
        return functions.times(functions.of_number(2), value)

    monkeypatch.setitem(FUNCTIONS, "doubled", doubled)
    entry = project.indicators["population_municipale"]
    own = entry.indicator.model_copy(update={"formula": "doubled(insee.population_municipale)"})
    own.__dict__.pop("parsed", None)
    changed = {**project.indicators, entry.id: dataclasses.replace(entry, indicator=own)}
    with pytest.raises(UnknownDerivationError, match=r"no rule for doubled\(\)"):
        value_rules(dataclasses.replace(project, indicators=changed))
