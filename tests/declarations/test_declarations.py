"""The project's declarations are right, and mistakes in a declaration are told with file and line."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from odds_pipeline.cli.declarations import problems_of
from odds_pipeline.declarations.checks.reach import reach_problems
from odds_pipeline.declarations.problems import DeclarationError
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.quality.rules import suite_problems

PARTNERS = {
    "adil",
    "caf",
    "centres_sociaux",
    "conseil_general",
    "cpam",
    "drihl",
    "insee",
    "inspection_academique",
    "pole_emploi",
    "prefecture",
    "udccas",
}


def test_no_mistake(project: Project) -> None:
    assert [str(p) for p in (*project.problems, *suite_problems(project))] == []


def test_every_partner_delivers(project: Project) -> None:
    assert set(project.partners) == PARTNERS
    assert {entry.partner.id for entry in project.feeds.values()} == PARTNERS


FEED = """\
id: essai
label: Essai de contrat
description: Un contrat pour les tests
kind: template
source: Essai, source de test
owner: Essai
calendar: {cadence: monthly, first: 2020-01, lag: 1}
levels: [commune]
variables:
  foyers: {label: Foyers, unit: foyers}
  foyers_seuls: {label: Foyers seuls, unit: foyers, part_of: foyers}
columns: {foyers: NB, foyers_seuls: NB_SEUL}
formats:
  - id: a
    file: '^essai_(?P<year>20\\d\\d)-(?P<month>\\d\\d)'
    period: {file: '^essai_(?P<year>20\\d\\d)-(?P<month>\\d\\d)'}
    example: {file: essai_2020-01.csv}
    territory: {columns: [code]}
"""
FAMILY = """\
id: essais
theme: social
label: Essais
description: Une famille pour les tests
indicators:
  part_seuls:
    label: Part de foyers seuls
    short_label: Foyers seuls
    definition: Part des foyers d'une seule personne parmi les foyers.
    unit: pct
    formula: 100 * adil.foyers_seuls / adil.foyers
    numerator: Foyers d'une personne
    denominator: Foyers
    population: Foyers
    levels: [commune]
    direction: neutral
    limits: Aucune limite connue
    cautions: [Ne pas additionner]
    breaks: []
    decimals: 1
    owner: Essai
    example: {inputs: {adil.foyers_seuls: 1, adil.foyers: 8}, value: 12.5}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project with one partner, one feed, one indicator."""
    root = project_root()
    for folder in ("assets/partners/adil", "assets/indicators/social", "expectations/partners/adil"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(root / "resources" / "reference", tmp_path / "resources" / "reference")
    shutil.copy(root / "assets/observatory.yaml", tmp_path / "assets")
    shutil.copy(root / "assets/partners/adil/partner.yaml", tmp_path / "assets/partners/adil")
    shutil.copy(root / "expectations/partners/defaults.yaml", tmp_path / "expectations/partners")
    shutil.copytree(root / "expectations/indicators", tmp_path / "expectations/indicators")
    shutil.copy(root / "expectations/recueil.yaml", tmp_path / "expectations")
    (tmp_path / "assets/partners/adil/essai.yaml").write_text(FEED)
    (tmp_path / "assets/indicators/social/essais.yaml").write_text(FAMILY)
    return tmp_path


def test_the_small_project_is_right(small: Path) -> None:
    assert Project.load(small).indicators["part_seuls"].line == 6


FEED_FILE = "assets/partners/adil/essai.yaml"
FAMILY_FILE = "assets/indicators/social/essais.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "says"),
    [
        (FEED_FILE, "kind: template", "knd: template", 4, "unknown key 'knd' (did you mean kind?)"),
        (FEED_FILE, "cadence: monthly", "cadence: mensuel", 7, "'mensuel' is not one of monthly"),
        (FEED_FILE, "unit: foyers}", "unit: foyer}", 10, "unknown unit 'foyer' (did you mean foyers?)"),
        (FEED_FILE, "part_of: foyers}", "part_of: foyer}", 11, "no variable 'foyer' here"),
        (FEED_FILE, "part_of: foyers}", "part_of: foyers, aggregation: foyers}", 11, "(did you mean adil.foyers?)"),
        (FEED_FILE, "foyers_seuls: NB_SEUL", "foyers_seul: NB_SEUL", 11, "no format has a column"),
        (FEED_FILE, "id: essai\n", "id: essais\n", 1, "differs from the name of its file"),
        (FEED_FILE, "'^essai_(?P<year>20\\d\\d)-(?P<month>\\d\\d)'\n    period", "'^essai_(?P<year>'\n    period", 15, "not a regular expression"),
        (FEED_FILE, "label: Essai de contrat", "label: Essai de contrat\nlabel: Autre", 3, "given twice"),
        (FEED_FILE, "columns: {foyers", "sums:\n  foyers: [foyers_seuls, foyer]\ncolumns: {foyers", 13, "no variable 'foyer' here (did you mean foyers?)"),
        (FEED_FILE, "columns: {foyers", "sums:\n  foyers: [foyers_seuls]\ncolumns: {foyers", 13, "two different parts or more"),
        (FEED_FILE, "territory: {columns: [code]", "territory: {rows: ept, columns: [code]", 18, "ept is not a level under the commune: iris, qpv_2015"),
        (FEED_FILE, "territory: {columns: [code]", "territory: {rows: iris, columns: [code]", 18, "levels does not have iris"),
        (FEED_FILE, "first: 2020-01", "first: 2020-13", 7, "'2020-13' does not match"),
        (FAMILY_FILE, "/ adil.foyers\n", "/ adil.foyer\n", 6, "no feed delivers 'adil.foyer' (did you mean adil.foyers?)"),
        (FAMILY_FILE, "100 * adil", "1000 * adil", 6, "pct needs the factor 100"),
        (FAMILY_FILE, "unit: pct", "unit: foyers", 6, "a quotient needs a proportion or a ratio"),
        (FAMILY_FILE, "100 * adil.foyers_seuls /", "100 * adil.foyers_seuls ** 2 /", 11, "only + - * / are known"),
        (FAMILY_FILE, "value: 12.5", "value: 13.5", 6, "the formula gives 12.5"),
        (FAMILY_FILE, "    limits: Aucune limite connue\n", "", 6, "'limits' is missing"),
        (FAMILY_FILE, "    denominator: Foyers\n", "", 6, "say the denominator in words"),
        (FAMILY_FILE, "levels: [commune]", "levels: [commune, france]", 6, "does not exist at level france"),
        (FAMILY_FILE, "/ adil.foyers\n", "/ adil.part_seuls\n", 6, "not over other indicators"),
    ],
)  # fmt: skip
def test_mistakes_are_told(small: Path, file: str, old: str, new: str, line: int, says: str) -> None:
    path = small / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DeclarationError) as error:
        Project.load(small)
    told = [str(p) for p in error.value.problems]
    assert any(t.startswith(f"{file}:{line}:") and says in t for t in told), told


REQUIRED = (
    "label short_label definition unit formula numerator denominator population levels direction "
    "limits cautions breaks decimals owner example"
).split()


@pytest.mark.parametrize("key", REQUIRED)
def test_an_indicator_that_lacks_a_field_is_refused(small: Path, key: str) -> None:
    path = small / FAMILY_FILE
    lines = FAMILY.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"    {key}:")]
    assert len(kept) == len(lines) - 1
    path.write_text("".join(kept))
    told = [str(p) for p in Project.read(small).problems]
    says = "say the denominator" if key == "denominator" else f"{key!r} is missing"
    assert len(told) == 1
    assert told[0].startswith(f"{FAMILY_FILE}:6:")
    assert says in told[0]


def test_cautions_of_the_family_hold_for_each_indicator_which_may_add_its_own(small: Path) -> None:
    path = small / FAMILY_FILE
    shared = "defaults: {cautions: [Valable pour tous], owner: Famille}\nindicators:\n"
    path.write_text(FAMILY.replace("indicators:\n", shared))
    indicator = Project.load(small).indicators["part_seuls"].indicator
    assert indicator.cautions == ["Valable pour tous", "Ne pas additionner"]
    assert indicator.owner == "Essai"
    path.write_text(path.read_text().replace("    cautions: [Ne pas additionner]\n", ""))
    assert Project.load(small).indicators["part_seuls"].indicator.cautions == ["Valable pour tous"]


def test_a_mistake_in_the_defaults_is_told_once_at_its_line(small: Path) -> None:
    path = small / FAMILY_FILE
    path.write_text(FAMILY.replace("indicators:\n", "defaults: {limites: Aucune}\nindicators:\n"))
    (told,) = (str(p) for p in Project.read(small).problems)
    assert told.startswith(f"{FAMILY_FILE}:5: unknown key 'limites' (did you mean limits?)")


def test_each_theme_and_each_partner_has_its_indicators(project: Project) -> None:
    """The catalogue promises 520 indicators, 70 a theme, and figures of every partner."""
    themes = Counter(entry.family.theme for entry in project.indicators.values())
    partners = Counter(
        partner
        for entry in project.indicators.values()
        for partner in {v.split(".")[0] for v in entry.indicator.parsed.variables}
    )
    assert sum(themes.values()) >= 520
    assert min(themes[theme] for theme in project.observatory.themes) >= 70
    assert {partner for partner, count in partners.items() if count >= 10} == PARTNERS


def test_two_indicators_that_compute_the_same_are_one(small: Path) -> None:
    path = small / FAMILY_FILE
    stanza = FAMILY[FAMILY.index("  part_seuls:") :]
    twin = stanza.replace("part_seuls", "part_isoles").replace("Part de", "Proportion de")
    twin = twin.replace("100 * adil.foyers_seuls / adil.foyers", "adil.foyers_seuls * 100 / adil.foyers")
    path.write_text(FAMILY + twin)
    told = [str(p) for p in Project.read(small).problems]
    assert told == [f"{FAMILY_FILE}:23: indicator 'part_isoles' has the same formula as 'part_seuls'"]


def test_the_census_is_declared_as_a_survey_of_five_years(project: Project) -> None:
    """Else its counts would be given confidence intervals, and compared one year apart."""
    census = [
        entry
        for entry in project.feeds.values()
        if "recensement de la population" in entry.feed.source
        and any(project.units[v.unit].counts for v in entry.feed.variables.values())
    ]
    assert len(census) >= 7
    assert [entry.id for entry in census if entry.feed.survey_years != 5] == []


def test_growth_of_the_census_is_over_vintages_that_share_no_survey(project: Project) -> None:
    lags = {
        entry.id: max(t.lag // 12 for t in entry.indicator.parsed.terms)
        for entry in project.indicators.values()
        if project.feed_of(entry.indicator).feed.independent_after
    }
    assert {lag for lag in lags.values() if lag} == {6}
    assert len([lag for lag in lags.values() if lag]) >= 5


def test_a_number_has_no_better_or_worse_and_a_form_of_family_neither(project: Project) -> None:
    directed = [
        entry.id
        for entry in project.indicators.values()
        if entry.indicator.direction != "neutral"
        and (
            project.units[entry.indicator.unit].adds_up
            or entry.id in ("part_familles_monoparentales", "part_menages_monoparentaux")
        )
    ]
    assert directed == []


def test_a_number_has_no_denominator_and_a_share_has_its_own(project: Project) -> None:
    """A family's default says what its shares divide by: not a number's, nor a share of another population's."""
    sheets = {entry.id: entry.indicator for entry in project.indicators.values()}
    divided = [
        name
        for name, sheet in sheets.items()
        if project.units[sheet.unit].adds_up and sheet.denominator and not sheet.parsed.denominator
    ]
    assert divided == []
    assert sheets["part_jeunes_non_inseres"].denominator == "Habitants de 15 à 24 ans"


def test_members_read_what_a_town_needs_of_its_creches(project: Project) -> None:
    for name in ("places_eaje_pour_100", "places_assmat_pour_100", "capacite_accueil_pour_100"):
        assert project.access_of(project.indicators[name].indicator) == "membres"


def test_a_label_says_the_month_that_a_flow_is_of(project: Project) -> None:
    """Beside annual figures, those of a month read twelve times too low. What a formula adds over a
    year is a flow; a share, a mean or a change of one has no such size."""
    formulas = {entry.id: entry.indicator.parsed for entry in project.indicators.values()}
    flows = {t.variable for f in formulas.values() for t in f.terms if t.window == "year_total"}
    monthly = [
        name
        for name, formula in formulas.items()
        if any(t.variable in flows and not t.window and not t.lag for t in formula.numerator)
        and all(t.variable.startswith("insee.") for t in formula.denominator)
    ]
    assert "consultations_adil_nombre" in monthly
    assert [n for n in monthly if "mois" not in project.indicators[n].indicator.label] == []


def test_no_window_is_over_everything() -> None:
    """DuckDB 1.5.5 sometimes fails on one, and the database with it (duckdb/duckdb#25713)."""
    root = project_root()
    sources = [*(root / "odds_pipeline").rglob("*.py"), *(root / "odds_pipeline").rglob("*.sql")]
    sources += (root / "expectations").rglob("*.yaml")
    assert len(sources) > 200
    found = [p for p in sources if re.search(r"\bover\s*\(\s*\)", p.read_text("utf-8"), re.IGNORECASE)]
    assert found == []


CAUSES = [
    (FEED_FILE, "levels: [commune]", "levelz: [commune]", "8: unknown key 'levelz' (did you mean levels?)"),
    (FEED_FILE, "kind: template", "kind: template\n- essai", "5: not valid YAML"),
    ("assets/partners/adil/partner.yaml", "licence:", "license:", ": unknown key 'license' (did you mean licence?)"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "says"), CAUSES)
def test_a_cause_is_told_without_its_consequences(
    small: Path, file: str, old: str, new: str, says: str
) -> None:
    """The indicator and the suite of a feed that could not be read are not wrong themselves."""
    path = small / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    told = [str(p) for p in Project.read(small).problems]
    assert says in told[0].removeprefix(f"{file}:")
    assert len(told) == 1


def test_a_mistake_in_one_feed_of_the_repository_is_told_alone(tmp_path: Path) -> None:
    root = project_root()
    for folder in ("assets", "expectations", "resources"):
        shutil.copytree(root / folder, tmp_path / folder)
    path = tmp_path / "assets/partners/caf/allocataires.yaml"
    path.write_text(path.read_text().replace("levels:", "levelz:", 1))
    (told,) = (str(p) for p in problems_of(Project.read(tmp_path)))
    assert told.startswith("assets/partners/caf/allocataires.yaml:")
    assert "unknown key 'levelz' (did you mean levels?)" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("resources/extranet.yaml", "token_days: 90", "token_dais: 90", "13: unknown key 'token_dais' (did you mean token_days?)"),
        ("resources/extranet.yaml", "token_days: 90", "token_days: long", "13: token_days: expected a whole number (found 'long')"),
        ("resources/deployments/local.yaml", "kind: duckdb", "kind: duckbd", "3: storage: 'duckbd' is not one of duckdb, ducklake (did you mean duckdb?)"),
        ("resources/deployments/local.yaml", "partners: all", "partners: tous", "6: partners: expected a list (found 'tous'), or 'tous' is not one of all"),
        ("resources/simulation/adil/consultations.yaml", "format:", "formats:", ": unknown key 'formats' (did you mean format?)"),
        ("assets/portrait_social.yaml", "access:", "acces:", ": unknown key 'acces' (did you mean access?)"),
        ("assets/studies/logement_fragile.yaml", "coverage: 0.6", "coverage: 6", "coverage: must be less than or equal to 1 (found 6)"),
    ],
)  # fmt: skip
def test_every_kind_of_declaration_answers_in_the_same_words(
    tmp_path: Path, file: str, old: str, new: str, says: str
) -> None:
    root = project_root()
    for folder in ("assets", "expectations", "resources"):
        shutil.copytree(root / folder, tmp_path / folder)
    path = tmp_path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    told = [str(p) for p in problems_of(Project.read(tmp_path))]
    assert any(t.startswith(f"{file}:") and says in t for t in told), told
    assert {t.partition(":")[0] for t in told} == {file}


def test_what_another_departement_lacks_is_told(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lille, with contracts, nomenclatures and tiles of Seine-Saint-Denis: each would say nothing of it."""
    text = (project_root() / "resources/deployments/local.yaml").read_text()
    (small / "here.yaml").write_text(text.replace('["93"]', '["59"]'))
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(small / "here.yaml"))
    with (small / "resources/reference/territories.csv").open("a") as file:
        file.write("59;Nord;departement;;;;1968-01-01;;\n59350;Lille;commune;;;59;1968-01-01;;\n")
    observatory = small / "assets/observatory.yaml"
    observatory.write_text(observatory.read_text().replace('["93"]', '["59"]'))
    key = "    territory: {columns: [code], nomenclature: qpv_communes}\n"
    filtered = FEED.replace("    territory: {columns: [code]}\n", f"{key}    where: {{Dép.: '930'}}\n")
    (small / FEED_FILE).write_text(filtered)
    assert [str(p) for p in reach_problems(Project.read(small))] == [
        "resources/reference/tiles.csv:1: no tile for 59350 (Lille): without outlines a map needs one",
        f"{FEED_FILE}:14: `where` keeps département 93 of 'Dép.': nothing of 59 would be read",
        f"{FEED_FILE}:14: nomenclature qpv_communes tells no territory of 59: its files would say nothing",
    ]
    (small / FEED_FILE).write_text(filtered.replace("'930'", "['590', '930']").replace("qpv_c", "qvp_c"))
    _, one = reach_problems(Project.read(small))
    assert one.message == "no nomenclature 'qvp_communes' (did you mean qpv_communes?)"


def test_the_tables_that_france_is_known_by_are_asked_for(small: Path) -> None:
    """Only where a contract sums communes to France: reading its file would fail."""
    tables = ["nomenclatures/arrondissements_municipaux.csv", "communes_of_france.csv"]
    for name in tables:
        (small / "resources/reference" / name).unlink()
    assert list(reach_problems(Project.read(small))) == []
    (small / FEED_FILE).write_text(
        FEED.replace("{columns: [code]}", "{columns: [code], also: [france]}")
    )
    told = [str(p) for p in reach_problems(Project.read(small))]
    assert [t.partition(":1: no file: ")[0] for t in told] == [
        f"resources/reference/{n}" for n in tables
    ]
    assert "Paris, Lyon and Marseille, which files give by arrondissement" in told[0]


def test_a_suite_that_changes_nothing_is_no_file(small: Path) -> None:
    suite = small / "expectations/partners/adil/essai.yaml"
    suite.write_text("extends: partners/defaults\nrules: {}\n")
    assert [str(p) for p in Project.read(small).problems] == [
        "expectations/partners/adil/essai.yaml:1: it changes nothing of partners/defaults: delete it"
    ]
    suite.write_text("extends: partners/defaults\nrules:\n  evolution: null\n")
    assert Project.read(small).problems == ()
