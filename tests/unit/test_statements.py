"""Sentences: each says its worked example, is silent on what it should, and can be explained."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import Publications, load_publications
from odds_pipeline.declarations.statement import ReleaseText
from odds_pipeline.geography.territories import Territory
from odds_pipeline.publications.documents.document import french
from odds_pipeline.publications.portrait.figures import Figures
from odds_pipeline.publications.statements.facts import FACTS
from odds_pipeline.publications.statements.places import at_place, enumerated, of_place
from odds_pipeline.publications.statements.slots import Count, Places, Silent, simple_part
from odds_pipeline.publications.statements.speaker import Said, Speaker, Unsaid, example
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from tests.class_file import write_class_file

ROOT = Path(__file__).parents[2]
Row = dict[str, object]


@pytest.fixture(scope="module")
def found(project: Project) -> Publications:
    return load_publications(project)


@pytest.fixture(scope="module")
def figures(project: Project, found: Publications, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """No value: the sheets of all that sentences speak of."""
    home = Home(tmp_path_factory.mktemp("odds"))
    write_class_file(
        home, project, [{"indicator": "taux_pauvrete", "month": "2020-12", "territory": "93"}]
    )
    with open_release(home, None, "public") as connection:
        names = sorted({s.indicator for s in found.statements.values()})
        return Figures(project, connection, names, 2024)


def test_every_sentence_says_its_worked_example(found: Publications, figures: Figures) -> None:
    assert len(found.statements) > 40
    for name, statement in found.statements.items():
        said = french(example(statement, figures.sheets[statement.indicator]))
        assert said.replace("\u00a0", " ").replace("\u202f", " ") == statement.example.text, name
        assert statement.slots <= FACTS[statement.fact].slots.keys(), name


@pytest.mark.parametrize(
    ("label", "at", "of"),
    [
        ("Bobigny", "à Bobigny", "de Bobigny"),
        ("Le Raincy", "au Raincy", "du Raincy"),
        ("Les Lilas", "aux Lilas", "des Lilas"),
        ("La Courneuve", "à La Courneuve", "de La Courneuve"),
        ("L’Île-Saint-Denis", "à L’Île-Saint-Denis", "de L’Île-Saint-Denis"),
        ("Aulnay-sous-Bois", "à Aulnay-sous-Bois", "d’Aulnay-sous-Bois"),
        ("Épinay-sur-Seine", "à Épinay-sur-Seine", "d’Épinay-sur-Seine"),
        ("Est Ensemble", "à Est Ensemble", "d’Est Ensemble"),
        ("CA de Cambrai", "dans la CA de Cambrai", "de la CA de Cambrai"),
    ],
)
def test_places_take_their_articles(label: str, at: str, of: str) -> None:
    assert (at_place(label), of_place(label)) == (at, of)


def test_a_unit_of_area_is_no_number_that_the_label_says(figures: Figures) -> None:
    income = figures.sheets["niveau_vie_median"]
    rent = replace(income, symbol="€/m²", unit="euros par mètre carré", decimals=1)
    assert rent.number(15.2) == "15,2\u00a0€/m²" and rent.counted_in == ", en euros par mètre carré"
    assert replace(income, symbol="pour 10 000").counted_in == ""
    points = replace(income, symbol="pts", decimals=1)
    assert (points.number(-0.1), points.number(-4.3)) == ("−0,1\u00a0pt", "−4,3\u00a0pts")


def test_several_places_and_counts_agree() -> None:
    three = Places(("Aubervilliers", "Clichy-sous-Bois", "La Courneuve"))
    assert (
        f"de 8 % {Places(('Le Raincy',)):à} à 42 % {three:à}"
        == "de 8 % au Raincy à 42 % dans 3\u00a0communes"
    )
    assert enumerated(["à Coubron", "au Raincy", "à Vaujours"]) == "à Coubron, au Raincy et à Vaujours"
    assert (
        f"{Count(1):une commune|# communes} {Count(18):une commune|# communes}"
        == "une commune 18 communes"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (27.6, "plus d’un habitant sur quatre"),
        (25.1, "un habitant sur quatre"),
        (23.6, "près d’un habitant sur quatre"),
        (32.0, "près d’un habitant sur trois"),
        (67.0, "deux habitants sur trois"),
        (22.6, None),
        (29.0, None),
    ],
)
def test_a_share_is_said_as_a_simple_part_when_one_is_near(value: float, words: str | None) -> None:
    if words is None:
        with pytest.raises(Silent):
            simple_part(value, [value, value], "habitant")
    else:
        assert simple_part(value, [value, value], "habitant") == words


def test_no_simple_part_is_said_that_lies_within_the_interval() -> None:
    with pytest.raises(Silent, match="intervalle"):
        simple_part(27.0, [24.0, 30.0], "habitant")


@dataclass
class World:
    """A release of 40 communes with poverty rates 10, 11, … 49, and who speaks of it."""

    project: Project
    found: Publications
    home: Home

    def rows(self, **changed: object) -> list[Row]:
        given: list[Row] = []
        for i, t in enumerate(self.project.territories.communes(2024)):
            row: Row = {"indicator": "taux_pauvrete", "month": "2020-12", "territory": t.code}
            given.append({**row, "value": 10.0 + i, "departement_value": 27.6, **changed})
            people: Row = {"indicator": "population_municipale", "month": "2021-01", "territory": t.code}
            given.append({**people, "value": 1000.0})
        whole: Row = {"indicator": "taux_pauvrete", "month": "2020-12", "territory": "93"}
        return [*given, {**whole, "level": "departement", "value": 27.6, **changed}]

    def speaker(self, rows: list[Row], *texts: ReleaseText) -> Speaker:
        assert self.found.portrait is not None
        write_class_file(self.home, self.project, rows)
        with open_release(self.home, None, "public") as connection:
            names = ["taux_pauvrete", "population_municipale", "part_sans_diplome", "apl_generalistes"]
            figures = Figures(self.project, connection, names, 2024)
        portrait: Portrait = self.found.portrait
        inside = [t for t in self.project.territories.all if t.geography == 2024]
        return Speaker(self.found.statements, figures, inside, portrait, texts)

    def place(self, code: str) -> Territory:
        return self.project.territories.by_key[code, 2024]

    def say(self, name: str, code: str = "93", **changed: object) -> Said | Unsaid:
        return self.speaker(self.rows(**changed)).say(name, self.place(code))


@pytest.fixture
def world(project: Project, found: Publications, home: Home) -> World:
    return World(project, found, home)


def test_a_sentence_is_explained_by_its_figures(world: World) -> None:
    said = world.say("pauvrete_dessus")
    # 28 to 49 are above 27.6, 10 to 27 below.
    assert (
        isinstance(said, Said)
        and said.text.startswith("22 communes ont un taux")
        and "; 18 ont" in said.text
    )
    assert said.figures["above"] == 22 and said.figures["below"] == 18 and said.figures["value"] == 27.6
    assert isinstance(
        world.say("pauvrete_dessus", "93008"), Unsaid
    )  # its value is not the département's
    held = world.say("pauvrete_concentree")
    # The fifth at the end of poverty: 8 communes, from 42 %; 8 of 40 alike in inhabitants are 20 %.
    assert (
        isinstance(held, Said)
        and "8 communes" in held.text
        and "42\u00a0%" in held.text
        and "20\u00a0%" in held.text
    )
    one = world.say("pauvrete_commune", "93008")
    # Bobigny, fifth by code: 14 %, 13.6 points below.
    assert isinstance(one, Said) and "14\u00a0points au-dessous" in one.text


@pytest.mark.parametrize(
    ("name", "code", "changed", "why"),
    [
        ("pauvrete_commune", "93008", {"ci_low": 12.0, "ci_high": 29.0}, "intervalle"),
        ("pauvrete_commune", "93008", {"departement_value": 14.9}, "trop petit"),
        ("pauvrete_commune", "93008", {"departement_value": None}, "même période"),
        ("pauvrete_commune", "93008", {"reserve": "saut"}, "sous réserve"),
        ("pauvrete_commune", "93008", {"value": None, "conf_status": "C"}, "aucune valeur"),
        ("pauvrete_commune", "93008", {"month": "2010-12"}, "trop ancien"),
        ("pauvrete_etendue", "93", {"month": "2010-12"}, "trop ancien"),
        ("pauvrete_etendue", "93", {"value": 20.0}, "partagent"),
        ("pauvrete_etendue", "93", {"ci_low": 5.0, "ci_high": 60.0}, "recouvrent"),
        ("pauvrete_epts", "93", {}, "même période"),
        ("sans_diplome_part", "93", {}, "aucune valeur"),
    ],
)
def test_a_sentence_is_silent(world: World, name: str, code: str, changed: Row, why: str) -> None:
    unsaid = world.say(name, code, **changed)
    assert isinstance(unsaid, Unsaid) and why in unsaid.reason, unsaid


def test_few_communes_are_not_spoken_of_as_all(world: World) -> None:
    rows = [r for i, r in enumerate(world.rows()) if r["territory"] == "93" or i < 60]
    unsaid = world.speaker(rows).say("pauvrete_etendue", world.place("93"))
    assert isinstance(unsaid, Unsaid) and "30 communes sur 40" in unsaid.reason


def test_a_survey_needs_two_points(world: World) -> None:
    def say(value: float) -> Said | Unsaid:
        one: Row = {"indicator": "part_sans_diplome", "month": "2018-01", "territory": "93008"}
        rows: list[Row] = [{**one, "value": value, "departement_value": 30.0}]
        return world.speaker(rows).say("sans_diplome_commune", world.place("93008"))

    assert isinstance(say(31.5), Unsaid) and isinstance(say(32.5), Said)


def test_a_difference_that_one_case_would_undo_is_not_told(world: World) -> None:
    def say(doctors: int) -> Said | Unsaid:
        one: Row = {"indicator": "apl_generalistes", "month": "2022-12", "territory": "93008"}
        # So many doctors for 8 012 inhabitants, and 6.1 for 10 000 in the département.
        rate = {"value": doctors / 0.8012, "departement_value": 6.1}
        rows: list[Row] = [{**one, **rate, "numerator": float(doctors), "denominator": 8012.0}]
        return world.speaker(rows).say("apl_commune", world.place("93008"))

    four = say(4)  # 5.0: a fifth doctor makes 6.2
    assert isinstance(four, Unsaid) and "un cas de plus" in four.reason
    assert isinstance(say(3), Said)  # 3.7: a fourth makes 5.0 only


@pytest.mark.parametrize(("highest", "speaks"), [(2.9, False), (3.0, True)])
def test_what_rounding_may_have_made_is_no_difference(
    world: World, highest: float, speaks: bool
) -> None:
    """2,7 and 2,9 are 7 % apart, and two digits: 2.74 and 2.86 are shown so."""
    communes = [t.code for t in world.project.territories.communes(2024)]
    values = [2.7, highest, *(2.8 for _ in communes[2:])]
    row: Row = {"indicator": "apl_generalistes", "month": "2023-12"}
    rows: list[Row] = [
        {**row, "territory": c, "value": v} for c, v in zip(communes, values, strict=True)
    ]
    said = world.speaker(rows).say("apl_etendue", world.place("93"))
    assert isinstance(said, Said) == speaks, said


def test_a_change_crosses_no_break_and_no_uncertainty(world: World) -> None:
    rows: list[Row] = [
        {
            "indicator": "population_municipale",
            "month": f"{year}-01",
            "territory": "93008",
            "value": value,
        }
        for year, value in ((2015, 50000.0), (2018, 52000.0), (2021, 55000.0))
    ]
    said = world.speaker(rows).say("population_depuis", world.place("93008"))
    # 55 000 of 50 000: 10 % in six years; surveys of five years compare from 2015 only.
    assert isinstance(said, Said) and "gagne 10\u00a0% depuis le 1ᵉʳ janvier 2015" in said.text
    near = [{**r, "value": 50000.0 + i} for i, r in enumerate(rows)]
    assert isinstance(world.speaker(near).say("population_depuis", world.place("93008")), Unsaid)


def test_a_committee_replaces_strikes_and_adds_and_signs(world: World) -> None:
    given = {"place": "93", "reason": "Vu en séance.", "by": "Comité technique", "on": "2026-11-20"}
    texts = [
        ReleaseText(action="strike", statement="pauvrete_etendue", **given),
        ReleaseText(action="replace", statement="pauvrete_dessus", text="Autrement dit.", **given),
        ReleaseText(action="add", theme="logement", text="En plus.", **given),
    ]
    speaker, place = world.speaker(world.rows(), *texts), world.place("93")
    struck, replaced = speaker.say("pauvrete_etendue", place), speaker.say("pauvrete_dessus", place)
    assert isinstance(struck, Unsaid) and "retirée : Vu en séance." in struck.reason
    assert isinstance(replaced, Said) and replaced.text == "Autrement dit."
    assert replaced.signed == "Comité technique, 20 novembre 2026"
    assert [one.text for one in speaker.added("logement", place)] == ["En plus."]
    assert isinstance(speaker.say("pauvrete_commune", world.place("93008")), Said)
