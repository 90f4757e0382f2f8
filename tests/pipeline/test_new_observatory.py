"""Another département's observatory is written from the national reference, and says nothing of this one's."""

import csv
import gzip
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from odds_pipeline.cli.declarations import problems_of
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.geography.territories import Territories
from odds_pipeline.indicators.compute import tables_of
from odds_pipeline.onboarding.national import EVENT, TERRITORY, Reference
from odds_pipeline.onboarding.observatory import Made, new_observatory, renamed
from odds_pipeline.onboarding.period import CannotPropose
from odds_pipeline.secrecy.structure import Structure

pytestmark = pytest.mark.slow

# As Insee writes them; Val-de-Saâne took in Anglesqueville in a year of the test's own.
FILES = {
    "v_departement_2024.csv": "DEP,REG,CHEFLIEU,TNCC,NCC,NCCENR,LIBELLE\n76,28,76540,3,SEINE MARITIME,Seine-Maritime,Seine-Maritime\n"
    "27,28,27229,5,EURE,Eure,Eure\n",
    "v_region_2024.csv": "REG,CHEFLIEU,TNCC,NCC,NCCENR,LIBELLE\n28,76540,0,NORMANDIE,Normandie,Normandie\n",
    "v_arrondissement_2024.csv": "ARR,DEP,REG,CHEFLIEU,TNCC,NCC,NCCENR,LIBELLE\n762,76,28,76351,2,HAVRE,Havre,Le Havre\n273,27,28,27229,1,EVREUX,Évreux,Évreux\n",
    "v_commune_2024.csv": "TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT\n"
    "COM,76351,28,76,76D,762,2,HAVRE,Havre,Le Havre,7699,\nCOM,76302,28,76,76D,762,0,GODERVILLE,Goderville,Goderville,7610,\n"
    "COM,76018,28,76,76D,762,0,VAL,Val,Val-de-Saâne,7610,\nCOMD,76019,28,76,76D,762,0,ANGLES,Angles,Anglesqueville,,76018\n"
    "COM,62041,32,62,62D,621,1,ARRAS,Arras,Arras,6201,\n"
    "COM,27229,28,27,27D,273,1,EVREUX,Évreux,Évreux,2799,\n",
    "v_mvt_commune_2024.csv": "MOD,DATE_EFF,TYPECOM_AV,COM_AV,TNCC_AV,NCC_AV,NCCENR_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,TNCC_AP,NCC_AP,NCCENR_AP,LIBELLE_AP\n"
    "32,2019-01-01,COM,76019,0,A,A,Anglesqueville,COM,76018,0,V,V,Val-de-Saâne\n"
    "32,2019-01-01,COM,76018,0,V,V,Val-de-Saâne,COM,76018,0,V,V,Val-de-Saâne\n"
    "10,2015-01-01,COM,76302,0,G,G,Godarville,COM,76302,0,G,G,Goderville\n",
}  # fmt: skip
WHERE = {"76351": (0.1, 49.5), "76302": (0.4, 49.6), "76018": (0.9, 49.7)}


def square(code: str, x: float, y: float) -> dict[str, object]:
    ring = [[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y]]
    return {"properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


@pytest.fixture(scope="module")
def cog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cog")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    members = [
        ("76", 247600001.0, "CU Le Havre Seine", 2.0, "76351"), ("76", 247600001.0, "CU Le Havre Seine", 2.0, "76302"),
        ("76", 247600002.0, "CC des Deux Vallées", 3.0, "76018"), ("76", 247600002.0, "CC des Deux Vallées", 3.0, "27229"),
        ("76", 247600002.0, "CC des Deux Vallées", 3.0, "80001"),
    ]  # fmt: skip
    listed = pd.DataFrame(members, columns=["dept", "siren", "raison_sociale", "nb_membres", "insee"])
    listed.to_excel(folder / "epcicom2024.xlsx", index=False)
    with pd.ExcelWriter(folder / "table-appartenance-geo-communes-2024.xlsx") as book:
        zones = [("76351", "2811"), ("76302", "2811"), ("27229", "2803"), ("62041", "3201")]
        named = [("ZE2020", "2811", "Le Havre"), ("ZE2020", "2803", "Évreux"), ("BV2022", "2811", "Non")]
        com = pd.DataFrame(zones, columns=["CODGEO", "ZE2020"])
        com.to_excel(book, sheet_name="COM", index=False, startrow=5)
        supra = pd.DataFrame(named, columns=["NIVGEO", "CODGEO", "LIBGEO"])
        supra.to_excel(book, sheet_name="Zones_supra_communales", index=False, startrow=5)
    features = [square(code, *place) for code, place in WHERE.items()]
    (folder / "communes.geojson").write_text(json.dumps({"features": features}))
    return folder


@pytest.fixture(scope="module")
def made(cog: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("new") / "odds76"
    ours = Project.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODDS_DEPLOYMENT", str(folder / "resources/deployments/local.yaml"))
        outlines = cog / "communes.geojson"
        return new_observatory(ours, Reference(cog, ("76",)), "Observatoire d'ici", outlines, folder, problems_of)  # fmt: skip


def test_it_is_right_and_keeps_every_contract_of_a_public_file(made: Made, project: Project) -> None:
    new = Project.read(made.folder)
    assert new.observatory.departements == ["76"]
    assert new.observatory.of_territory == "de la Seine-Maritime"
    site = yaml.safe_load((made.folder / "resources/extranet.yaml").read_text(encoding="utf-8"))
    assert new.observatory.short_label == "Observatoire d’ici"  # under each printed page
    assert new.observatory.label == site["title"] == site["publisher"] == "Observatoire d’ici"
    gone = {f"assets/partners/{e.id}.yaml" for e in project.feeds.values()} - {
        f"assets/partners/{e.id}.yaml" for e in new.feeds.values()
    }
    told = {line.partition(": ")[0] for line in made.left_out}
    assert gone and gone <= told
    kept = [e for e in project.feeds.values() if e.feed.kind == "public" and e.id in new.feeds]
    assert len(kept) >= 0.8 * sum(e.feed.kind == "public" for e in project.feeds.values())


def test_nothing_in_it_says_the_former_departement(made: Made, project: Project) -> None:
    names = {t.label for t in project.territories.all if t.level == "commune"} - {"Villepinte"}
    said = [
        "seine-saint-denis",
        "Île-de-France",
        r"(?-i:\bEPT\b)",
        "publics? territoria",
        r"\[[^]]*\bept\b",
    ]
    former = re.compile("|".join([*said, *map(re.escape, names)]), re.IGNORECASE)
    # Sentences keep the worked examples of their arithmetic, which no reader sees.
    files = [p for p in made.folder.rglob("*") if "statements" not in p.parts]
    for path in files:
        if path.suffix in (".yaml", ".csv"):
            found = former.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path}: {found}"


def test_territories_and_tiles_are_those_of_the_reference(made: Made) -> None:
    folder = made.folder / "resources/reference"
    with (folder / "territories.csv").open(encoding="utf-8", newline="") as file:
        rows = {(r["level"], r["code"]): r for r in csv.DictReader(file, delimiter=";")}
    assert {code for level, code in rows if level == "commune"} == {"76351", "76302", "76018", "76019"}
    assert rows["commune", "76019"]["valid_to"] == "2019-01-01"
    assert rows["arrondissement", "762"]["label"] == "Arrondissement du Havre"
    assert rows["region", "28"]["label"] == "Normandie"
    zones = [r["label"] for (level, _), r in rows.items() if level == "zone_emploi"]
    assert zones == ["Le Havre (zone d’emploi)"]
    assert rows["departement", "76"]["region"] == ""  # of which there is one département more
    with (folder / "tiles.csv").open(encoding="utf-8", newline="") as file:
        tiles = {
            r["code"]: (int(r["column"]), int(r["row"])) for r in csv.DictReader(file, delimiter=";")
        }
    assert len(set(tiles.values())) == len(tiles) == 4
    assert tiles["76302"][1] <= tiles["76351"][1]  # Goderville is north of Le Havre


def test_its_groups_are_the_epci_that_it_holds_whole(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that goes beyond it is told; the département is then its groups and the communes of none."""
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(made.folder / "resources/deployments/local.yaml"))
    new = Project.read(made.folder)
    parts = {(p.whole, p.part) for p in new.territories.parts if p.whole == "247600001"}
    assert parts == {("247600001", "76351"), ("247600001", "76302"), ("247600001", "247600001")}
    assert [t.code for t in new.territories.all if t.level == "epci"] == ["247600001"] * 2
    assert any("CC des Deux Vallées (247600002): 1 of its 3 communes" in said for said in made.left_out)
    structure = Structure.of(new)
    names = structure.places.drop_duplicates("place").set_index("place")["territory"]
    sums = structure.territory_sums.assign(territory=lambda t: t["place"].map(names))
    told = [
        {sign: set(own["territory"]) for sign, own in row.groupby("sign")}
        for _, row in sums.groupby("row")
    ]
    # The département holds the communes of its one arrondissement: they are one place.
    assert {1.0: {"762"}, -1.0: {"247600001", "76018"}} in told
    assert {"epci", "arrondissement"} <= set(tables_of(new, ["population_municipale"]).levels["level"])


def test_the_newest_communes_are_taken_and_their_year_is_told(cog: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two years"
    shutil.copytree(cog, folder)
    assert Reference(folder, ("76",)).year == 2024
    left = [row for row in FILES["v_commune_2024.csv"].splitlines() if "Goderville" not in row]
    with gzip.open(folder / "v_commune_2025.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(left) + "\n")
    newer = Reference(folder, ("76",))
    assert newer.year == 2025
    assert {row["COM"] for row in newer.communes} == {"76351", "76018"}


def test_an_observatory_that_holds_the_former_departement_names_it_once(project: Project) -> None:
    said = "CPAM de la Seine-Saint-Denis ; SEINE-SAINT-DENIS, en Seine-Saint-Denis"
    both = "Nord et Seine-Saint-Denis"
    assert renamed(said, project.observatory, both, "du Nord et de la Seine-Saint-Denis") == (
        "CPAM du Nord et de la Seine-Saint-Denis ; NORD ET SEINE-SAINT-DENIS, en Nord et Seine-Saint-Denis"
    )


def test_a_region_is_the_sum_of_its_departements(project: Project, cog: Path, tmp_path: Path) -> None:
    """Two départements of one région of two: its name, and sums of all that lies in it."""
    whole = Reference.of(cog, ["r28"])
    assert whole.departements == ("76", "27")
    assert (whole.id, whole.label, whole.of_label) == ("r28", "Normandie", "de Normandie")
    some = Reference.of(cog, ["76", "27", "76"])
    assert some.departements == whole.departements
    two = Reference(cog, ("76",))
    assert two.of_label == "de la Seine-Maritime" and two.whole is None
    # Communes of the région that are not of the département count in it, those of before too.
    assert ["28", "27229", ""] in two.beyond() and ["28", "76019", "2019-01-01"] in two.beyond()
    assert "62041" not in {row[1] for row in two.beyond()}
    with pytest.raises(CannotPropose, match="no région '99'"):
        Reference.of(cog, ["r99"])
    for name, head, rows in (
        ("territories.csv", TERRITORY, whole.territories()),
        ("territory_events.csv", EVENT, whole.events()),
    ):
        text = "\n".join(";".join(row) for row in [head, *rows]) + "\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    own = Territories.read(tmp_path, whole.departements)
    inside = {p.part for p in own.parts if p.whole == "28" and p.part_geography == p.whole_geography == own.current}  # fmt: skip
    assert inside == {"76351", "76302", "76018", "27229"}
    assert not [p for p in own.within(["76"]).parts if p.whole == "28" and p.part != "28"]
    levels = tables_of(replace(project, territories=own), ["population_municipale"]).levels["level"]
    assert "region" in set(levels) and not own.beyond
    assert whole.beyond() == []


def test_a_nomenclature_of_the_country_stays(made: Made) -> None:
    kept = {path.stem for path in (made.folder / "resources/reference/nomenclatures").iterdir()}
    assert kept == {"arrondissements_municipaux"}


@pytest.mark.parametrize("label", ['Observatoire "76"', "Observatoire : le social", "Un #1"])
def test_a_name_that_no_declaration_holds_is_refused(label: str, cog: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotPropose, match="a name of words"):
        new_observatory(Project.load(), Reference(cog, ("76",)), label, cog / "communes.geojson", tmp_path / "new", problems_of)  # fmt: skip
    assert not (tmp_path / "new").exists()


def test_what_the_reference_lacks_is_told(cog: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotPropose, match=r"no file v_departement_<year>\.csv; Insee publishes it at"):
        _ = Reference(tmp_path, ("76",)).label
    with pytest.raises(CannotPropose, match="no département '99'"):
        _ = Reference(cog, ("99",)).label


def test_it_has_a_portrait_of_its_own(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the newest geography of its communes, with the indicators that are left."""
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(made.folder / "resources/deployments/local.yaml"))
    new = Project.read(made.folder)
    portrait = load_publications(new).portrait
    assert portrait is not None
    assert portrait.label == "Portrait social de la Seine-Maritime"
    assert portrait.geography == new.territories.geographies[-1]
    asked = {name for theme in portrait.themes.values() for name in theme.indicators}
    assert "taux_pauvrete" in asked <= set(new.indicators)
