"""Fetching: each kind of portal over real bytes, what is new and what is not, and every fault in a sentence."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import stamina

from odds_pipeline.declarations.portal import Origin
from odds_pipeline.declarations.project import Project
from odds_pipeline.fetch.fetch import Outcome, fetch, late_since
from odds_pipeline.indicators.explain import explain
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.reading import read
from odds_pipeline.reception.receive import receive
from odds_pipeline.reception.recognition import recognise
from odds_pipeline.reception.tables import open_tables
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from ..portals import Portals, Reply, as_json, portals

DATASET = "/data_gouv/api/1/datasets/61816c6e23197bb34835228e/"
FILE = "/static/lovac/20250528-090420/lovac-opendata-communes.csv"
IPS = "/data_education/api/explore/v2.1/catalog/datasets/"


@pytest.fixture
def mirror() -> Iterator[Portals]:
    """The portals; tries follow each other at once."""
    with portals() as found, stamina.set_testing(True, attempts=4, cap=True):
        yield found


@pytest.fixture(scope="session")
def lovac(producers: Path) -> bytes:
    return (producers / "lovac/2025/lovac-opendata-communes.csv").read_bytes()


def hosted(mirror: Portals, content: bytes, path: str = FILE, modified: str = "2025-05-28") -> None:
    """data.gouv.fr's answers: the dataset with one file, and the file."""
    one = {
        "id": "r1", "title": "lovac-opendata-communes.csv", "type": "main", "filetype": "file",
        "url": mirror.address + path, "filesize": len(content), "last_modified": modified,
        "checksum": {"type": "sha1", "value": hashlib.sha1(content).hexdigest()},
    }  # fmt: skip
    other = {"title": "Notice", "type": "documentation", "url": mirror.address + "/notice.pdf"}
    mirror.replies[DATASET] = as_json({"resources": [other, one]})
    mirror.replies[path] = Reply(content, headers={"ETag": '"a"'})


def take(project: Project, home: Home, mirror: Portals, name: str = "drihl/lovac") -> list[Outcome]:
    return list(fetch(project, home, name, mirror.address))


def landed(home: Home) -> list[Path]:
    return sorted(p for p in home.landing.rglob("*") if p.is_file() and p.suffix in (".csv", ".zip"))


def test_a_file_lands_with_its_origin_and_is_explained_by_it(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    (outcome,) = take(project, home, mirror)
    assert (outcome.state, outcome.file) == ("new", "lovac-opendata-communes.csv")
    assert outcome.path is not None and outcome.path.read_bytes() == lovac
    note = json.loads(outcome.path.with_name(outcome.path.name + ".origin.json").read_text())
    assert (note["address"], note["licence"]) == (mirror.address + FILE, "Licence Ouverte 2.0")
    assert note["headers"]["etag"] == '"a"'
    (receipt,) = receive(project, home, [home.landing])
    assert (receipt.feed, receipt.months) == (
        "drihl/lovac",
        tuple(f"{year}-01" for year in range(2020, 2026)),
    )
    judge_pending(project, home, "drihl/lovac")
    publish(project, home)
    with open_release(home) as release:
        found = explain(project, release, "logements_vacants_2_ans", "93001", "2025-01")
    assert found.value == 1501
    assert found.inputs["drihl.logements_vacants_2_ans"][0].origin == mirror.address + FILE


def test_what_is_held_is_not_taken_again(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    take(project, home, mirror)
    mirror.asked.clear()
    assert [o.state for o in take(project, home, mirror)] == ["unchanged"]
    assert mirror.paths() == [DATASET]
    # The date moves, the bytes do not: nothing lands.
    hosted(mirror, lovac, modified="2025-09-01")
    assert [o.state for o in take(project, home, mirror)] == ["unchanged"]
    # The same bytes at a new address: nothing lands either.
    hosted(mirror, lovac, "/static/lovac/20250901-000000/lovac-opendata-communes.csv")
    assert [o.state for o in take(project, home, mirror)] == ["unchanged"]
    assert len(landed(home)) == 1


def test_a_revision_lands_beside_what_it_revises(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    take(project, home, mirror)
    hosted(mirror, lovac.replace(b";1501;", b";1502;"), FILE.replace("0528", "0601"), "2025-06-01")
    assert [o.state for o in take(project, home, mirror)] == ["new"]
    assert len(landed(home)) == 2


def test_a_dry_run_says_and_takes_nothing(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    outcomes = list(fetch(project, home, "drihl/lovac", mirror.address, dry_run=True))
    assert [o.state for o in outcomes] == ["available"]
    assert mirror.paths() == [DATASET] and not home.landing.exists()


def test_a_cut_answer_is_continued(project: Project, home: Home, mirror: Portals, lovac: bytes) -> None:
    hosted(mirror, lovac)
    mirror.replies[FILE].cut = 5000
    (outcome,) = take(project, home, mirror)
    assert outcome.path is not None and outcome.path.read_bytes() == lovac
    assert [h.get("range") for p, _, h in mirror.asked if p == FILE] == [None, "bytes=5000-"]


def test_a_portal_that_ignores_ranges_is_begun_again(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    mirror.replies[FILE].cut, mirror.replies[FILE].ranges = 5000, False
    (outcome,) = take(project, home, mirror)
    assert outcome.path is not None and outcome.path.read_bytes() == lovac


def test_a_busy_portal_is_asked_again(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    mirror.replies[DATASET].first = [503, 429]
    mirror.replies[FILE].first = [502]
    assert [o.state for o in take(project, home, mirror)] == ["new"]


HTML = Reply(b"<!DOCTYPE html><html>Request Rejected</html>", headers={"Content-Type": "text/html"})
FAULTS = {
    "page": (FILE, HTML, "envoie une page web au lieu du fichier"),
    "page for the dataset": (DATASET, HTML, "répond autre chose que du JSON"),
    "gone": (FILE, as_json({"message": "Gone"}, 410), "répond 410"),
    "dataset gone": (DATASET, as_json({"message": "Not found"}, 404), "répond 404"),
    "down": (DATASET, Reply(b"", 503), "répond 503"),
    "empty": (FILE, Reply(b"\n"), "envoie un fichier vide"),
    "other bytes": (FILE, Reply(b"a;b\n1;2\n"), "n'a pas la somme de contrôle annoncée"),
    "schema of the interface": (DATASET, as_json({"data": []}), "autrement que d'habitude"),
    "no such file": (DATASET, as_json({"resources": []}), "n'a plus de fichier"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence_and_loses_nothing(
    project: Project, home: Home, mirror: Portals, lovac: bytes, fault: str
) -> None:
    hosted(mirror, lovac)
    take(project, home, mirror)
    before = landed(home)
    path, reply, sentence = FAULTS[fault]
    hosted(mirror, lovac, modified="2026-06-25")
    mirror.replies[path] = reply
    (outcome,) = take(project, home, mirror)
    assert outcome.state == "failed" and outcome.why is not None and sentence in outcome.why
    assert landed(home) == before


def test_a_portal_that_is_down_stops_no_other(
    project: Project, home: Home, mirror: Portals, lovac: bytes
) -> None:
    hosted(mirror, lovac)
    outcomes = list(fetch(project, home, "drihl", mirror.address))
    assert {o.state for o in outcomes if o.feed == "drihl/lovac"} == {"new"}
    assert {o.state for o in outcomes if o.feed == "drihl/loyers"} == {"failed"}


def test_an_export_is_asked_whole_and_counted(
    project: Project, home: Home, mirror: Portals, producers: Path
) -> None:
    content = (producers / "education/ips_ecoles_2021_entete_libelles/fr-en-ips_ecoles.csv").read_bytes()
    rows = len(content.splitlines()) - 1
    described = {
        "fields": [{"name": "uai"}],
        "metas": {"default": {"data_processed": "2022-10-01", "records_count": rows}},
    }
    export = f"{IPS}fr-en-ips_ecoles/exports/csv"
    mirror.replies[f"{IPS}fr-en-ips_ecoles"] = as_json(described)
    mirror.replies[export] = Reply(content[: len(content) // 2])
    name = "inspection_academique/ips_ecoles"
    whys = [o.why for o in take(project, home, mirror, name) if o.file == "fr-en-ips_ecoles.csv"]
    assert f"sur les {rows} annoncées, fichier tronqué" in str(whys)
    mirror.replies[export] = Reply(content)
    assert "new" in [o.state for o in take(project, home, mirror, name)]
    query = next(q for p, q, _ in mirror.asked if p == export)
    assert (query["use_labels"], query["delimiter"], query["with_bom"]) == (["false"], [";"], ["false"])
    months = {r.months for r in receive(project, home, [home.landing])}
    assert months == {("2021-09",)}


MELODI = """EC_MEASURE;FREQ;GEO;GEO_OBJECT;OBS_STATUS;TIME_PERIOD;OBS_VALUE
LVB;A;93001;COM;A;2023;1500
LVB;A;93001;COM;A;2024;1480
LVB;A;93005;COM;M;2024;
LVB;A;93;DEP;A;2024;24946
LVB;A;93;REG;A;2024;51000
LVB;A;F;FRANCE;A;2024;663000
"""


def test_a_product_of_melodi_is_fetched_and_read(project: Project, home: Home, mirror: Portals) -> None:
    """The catalogue and the long file as Insee documents them; an unknown dataset is a 500 in plain text."""
    name = "DS_ETAT_CIVIL_NAIS_COMMUNES"
    path = f"/melodi/file/{name}/{name}_2024_CSV_FR"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}_2024_data.csv", MELODI)
        archive.writestr(f"{name}_2024_metadata.csv", "COD_VAR;LIB_VAR\nGEO;Territoire\n")
    product = {
        "id": f"{name}_2024_CSV_FR", "title": "Naissances", "modified": "2025-10-02T10:00:00",
        "accessURL": mirror.address + path, "byteSize": len(packed.getvalue()),
    }  # fmt: skip
    products = [product | {"format": "CSV"}, product | {"format": "XLSX", "id": f"{name}_2024_XLSX_FR"}]
    mirror.replies[f"/melodi/catalog/{name}"] = as_json({"identifier": name, "product": products})
    mirror.replies[path] = Reply(packed.getvalue())
    mirror.replies["/melodi/catalog/DS_ETAT_CIVIL_DECES_COMMUNES"] = Reply(
        "Le serveur a rencontré une erreur inattendue.".encode(), 500, {"Content-Type": "text/plain"}
    )
    states = [o.state for o in take(project, home, mirror, "insee/etat_civil")]
    assert states.count("new") == 1 < len(states)
    found = {}
    for table in open_tables(f"{name}.zip", packed.getvalue()):
        outcome = recognise(project, table)
        if isinstance(outcome, Match):
            rows = read(project, outcome).frame
            found |= {(r.territory, r.level, r.month): r.value for r in rows.itertuples()}
    assert found["93001", "commune", "2023-12"] == 1500
    assert found["93", "departement", "2024-12"] == 24946  # and not the region of the same code
    assert found["93005", "commune", "2024-12"] != found["93005", "commune", "2024-12"]  # not a number
    assert len(found) == 4


def test_a_filter_asks_for_the_perimeter(project: Project, home: Home, mirror: Portals) -> None:
    path = "/data_dares/api/explore/v2.1/catalog/datasets/dares_defm_communales-brutes"
    metas = {"default": {"data_processed": "2025-03-01", "records_count": 2095020}}
    mirror.replies[path] = as_json({"fields": [], "metas": metas})
    mirror.replies[f"{path}/exports/csv"] = Reply(b"Date;Code commune\n2024-T4;93001\n")
    assert [o.state for o in take(project, home, mirror, "pole_emploi/defm_dares")] == ["new"]
    query = next(q for p, q, _ in mirror.asked if p.endswith("csv"))
    assert (query["where"], query["use_labels"]) == (["code_departement in ('93')"], ["true"])


def test_a_name_that_comes_back_each_year_takes_its_year_from_the_origin(
    project: Project, home: Home, mirror: Portals, producers: Path
) -> None:
    """93001 has 90,071 inhabitants in the file of 2021, and 88,948 in that of 2019."""
    for page, year in (("7739582", 2021), ("8290591", 2020), ("8680726", 2019)):
        content = producers / f"insee_pop/populations_legales_{year}/donnees_communes.csv"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("donnees_communes.csv", content.read_bytes())
        mirror.replies[f"/insee/{page}/ensemble.zip"] = Reply(buffer.getvalue())
    outcomes = take(project, home, mirror, "insee/populations_legales")
    assert [o.state for o in outcomes] == ["new"] * 3
    found = {r.months for r in receive(project, home, [home.landing])}
    # The declared vintages are those of the pages, whatever the bytes that the test puts there.
    assert found == {("2021-01",), ("2022-01",), ("2023-01",)}
    assert [o.state for o in take(project, home, mirror, "insee/populations_legales")] == [
        "unchanged"
    ] * 3


def test_a_truncated_archive_is_told(project: Project, home: Home, mirror: Portals) -> None:
    mirror.replies["/insee/7739582/ensemble.zip"] = Reply(b"PK\x03\x04" + b"0" * 500)
    outcomes = take(project, home, mirror, "insee/populations_legales")
    assert "l'archive n'a pas de fin" in str(outcomes[0].why)


@pytest.mark.parametrize(
    ("published", "modified", "late"),
    [
        ([6], "2026-06-25", None),
        ([6], "2025-05-28", "l'édition attendue en 2026-06"),
        ([12], "2025-12-11", None),  # that of December 2026 is not due in November
        ([], "2020-01-01", None),
    ],
)
def test_a_late_edition_is_told(published: list[int], modified: str, late: str | None) -> None:
    origin = Origin(portal="data_gouv", dataset="x", published=published)
    told = late_since(origin, [modified], date(2026, 11, 28))
    assert (told is None) if late is None else late in str(told)


def test_a_name_without_origin_is_refused(project: Project, home: Home) -> None:
    with pytest.raises(LookupError, match="no contract with an origin is named 'udccas'"):
        list(fetch(project, home, "udccas"))


def test_a_year_of_a_portal(project: Project, home: Home, mirror: Portals, lovac: bytes) -> None:
    """An edition, a revision, weeks without portal, a renamed column, the next edition: what is known
    after each visit, in 93001, of dwellings vacant for two years."""
    old = b"CODGEO_25;LIBGEO_25;pp_vacant_25;pp_vacant_plus_2ans_25;pp_total_24"
    new = b"CODGEO_26;LIBGEO_26;pp_vacant_26;pp_vacant_plus_2ans_26;ff_pp_total_25"
    assert lovac.startswith(old)
    revised = lovac.replace(b";1501;", b";1502;", 1)
    renamed = revised.replace(b"pp_vacant_plus_2ans_25", b"vacants_longs_25", 1)
    rows = [line.split(b";") for line in revised.replace(old, new, 1).splitlines()]
    grown = [[*r[:3], b"%d" % (int(r[3]) + 18) if r[3].isdigit() else r[3], *r[4:]] for r in rows]
    following = b"\n".join(b";".join(r) for r in grown)
    past = {"2020-01": 590, "2021-01": 831, "2022-01": 666, "2023-01": 754, "2024-01": 1127}
    visits: list[tuple[str, bytes | None, str, dict[str, float]]] = [
        ("2025-05-28", lovac, "new", {"2025-01": 1501}),
        ("2025-05-28", lovac, "unchanged", {"2025-01": 1501}),
        ("2025-07-01", None, "failed", {"2025-01": 1501}),
        ("2025-07-08", None, "failed", {"2025-01": 1501}),
        ("2025-07-15", revised, "new", {"2025-01": 1502}),
        ("2025-09-01", renamed, "new", {"2025-01": 1502}),  # set aside: the header lost a column
        ("2026-06-25", following, "new", {"2025-01": 1502, "2026-01": 1520}),
    ]
    for day, content, state, known in visits:
        if content is None:
            mirror.replies[DATASET] = Reply(b"<html>Maintenance</html>", 503)
        else:
            hosted(mirror, content, FILE.replace("20250528", day.replace("-", "")), day)
        (outcome,) = take(project, home, mirror)
        assert outcome.state == state, (day, outcome)
        if outcome.path:
            (receipt,) = receive(project, home, [outcome.path])
            told = receipt.reason or ""
            assert ("colonnes absentes : pp_vacant_plus_2ans_25" in told) == (content == renamed), told
            assert "2ans_24" not in told  # last year's column is another figure, not this one renamed
            judge_pending(project, home, "drihl/lovac")
        with Store(home.warehouse).connect() as store:
            found = store.execute(
                "SELECT month, value FROM observations WHERE territory = '93001' "
                "AND variable = 'drihl.logements_vacants_2_ans'"
            ).fetchall()
        assert dict(found) == {**past, **known}, day
