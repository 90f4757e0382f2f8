"""The site reads a release that another replaces: nothing is dropped, mixed or stale."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.storage.home import Home

from .conftest import Site
from .observatory import publish_next


@pytest.fixture
def own_releases(site: Site, observatory: Home, tmp_path: Path) -> Path:
    """The site's releases in a folder of its own, so that a pointer may be changed."""
    folder = tmp_path / "releases"
    folder.mkdir()
    for path in observatory.releases.iterdir():
        if path.is_dir():
            (folder / path.name).symlink_to(path, target_is_directory=True)
    (folder / "current").write_text("1\n")
    site.home.releases.unlink()
    site.home.releases.symlink_to(folder, target_is_directory=True)
    return folder


def test_a_broken_pointer_or_release_leaves_the_last_good_one(site: Site, own_releases: Path) -> None:
    client = site.client()
    assert client.get("/sante-du-site").json() == {"edition": 1}
    for content in ("", "x\n", "9999\n"):
        (own_releases / "current").write_text(content)
        assert client.get("/sante-du-site").json() == {"edition": 1}, content
    broken = own_releases / "0007"
    broken.mkdir()
    (broken / "public.duckdb").write_bytes(b"not a database")
    (own_releases / "current").write_text("7\n")
    assert client.get("/sante-du-site").json() == {"edition": 1}
    assert client.get("/territoires/93008").status_code == 200


def test_a_damaged_release_at_a_cold_start_leaves_the_last_good_one(
    site: Site, own_releases: Path
) -> None:
    broken = own_releases / "0002"
    broken.mkdir()
    (broken / "public.duckdb").write_bytes(b"not a database")
    (own_releases / "current").write_text("2\n")
    client = site.client()
    assert client.get("/sante-du-site").json() == {"edition": 1}
    assert client.get("/territoires/93008").status_code == 200


def test_a_departement_keeps_its_series_though_an_index_over_its_communes_changed(
    site: Site, own_releases: Path
) -> None:
    """Two of its communes merged: an index over communes is another one, its population is not."""
    path = own_releases / "0001" / "public.duckdb"
    content = path.read_bytes()
    (own_releases / "0001").unlink()
    path.parent.mkdir()
    path.write_bytes(content)
    with duckdb.connect(str(path)) as release:
        release.execute(
            "INSERT INTO converted_values BY NAME SELECT indicator, month, territory, level, geography, "
            "value, obs_status, conf_status FROM indicator_values JOIN definitions USING (indicator) "
            "WHERE territory = '93' AND adds_up IS DISTINCT FROM 'sum' LIMIT 1"
        )
    view = site.app.state.serving.view(VISITOR)
    assert "93" not in view.changed and "93066" in view.changed
    assert "a changé au" not in site.client().get("/territoires/93").text


def test_without_any_readable_release_the_site_says_so(site: Site, own_releases: Path) -> None:
    (own_releases / "0001").unlink()
    (own_releases / "0001").mkdir()
    (own_releases / "0001" / "public.duckdb").write_bytes(b"not a database")
    answer = site.client().get("/")
    assert answer.status_code == 503 and "Aucune édition" in answer.text


def test_without_any_release_the_site_says_so(site: Site, own_releases: Path) -> None:
    (own_releases / "current").unlink()
    answer = site.client().get("/")
    assert answer.status_code == 503 and "Aucune édition" in answer.text


@pytest.mark.slow
def test_a_new_release_goes_live_under_load(
    make_site: Callable[..., Site], observatory: Home, project: Project
) -> None:
    """Readers of every role keep reading while a release is published: no error, each page of one release."""
    site = make_site()
    stop = threading.Event()
    seen: list[tuple[int, str]] = []

    def read(role: str) -> None:
        client = site.client(role)
        while not stop.is_set():
            for address in ("/territoires/93008", "/sante-du-site", "/telecharger/territoire/93.csv"):
                answer = client.get(address)
                seen.append((answer.status_code, answer.headers.get("content-disposition", "")))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, role) for role in ("visiteur", "ccas", "cpam", "observatoire")]
        try:
            assert publish_next(project, observatory, observatory.landing) == 2
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    assert {status for status, _ in seen} == {200} and len(seen) > 20
    assert site.client("ccas").get("/sante-du-site").json() == {"edition": 2}
    page = site.client("ccas").get("/editions/2").text
    assert "valeurs nouvelles" in page and "/indicateurs/" in page


def test_a_page_is_made_once_and_answered_with_its_etag(site: Site) -> None:
    client = site.client()
    first = client.get("/territoires/93008")
    again = client.get("/territoires/93008", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/territoires/93008").headers["etag"] == first.headers["etag"]
    assert client.head("/territoires/93008").content == b""
    assert site.client("ccas").get("/territoires/93008").headers["etag"] != first.headers["etag"]
