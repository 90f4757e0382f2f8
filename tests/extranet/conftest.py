"""A site over a small simulated observatory, with organisations and people of every kind."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.app import create_app
from odds_pipeline.extranet.identity.accounts import Accounts, Person
from odds_pipeline.extranet.identity.signin import encode
from odds_pipeline.storage.home import Home

from ..conftest import MadeOnce
from .observatory import build

PASSWORD = "correct cheval pile agrafe"
SITE = "http://testserver"
ENCODED = encode(PASSWORD)

ROLES: dict[str, tuple[Access, tuple[str, ...]] | None] = {
    "visiteur": None,
    "ccas": ("membres", ()),
    "cpam": ("membres", ("cpam",)),
    "prefecture": ("membres", ("prefecture",)),
    "observatoire": ("partenaires", ()),
}
"""Who comes: class of access and partners of their organisation; ``None``: nobody signed in."""


@pytest.fixture(scope="module")
def observatory(project: Project, made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy for each file of tests: some publish one more release."""

    def make(folder: Path) -> None:
        build(project, Home(folder), folder / "landing")

    own = tmp_path_factory.mktemp("observatoire")
    shutil.copytree(made_once("observatoire", make), own, dirs_exist_ok=True)
    return Home(own)


@dataclass
class Site:
    """The application, its accounts, and one person a role."""

    app: FastAPI
    home: Home
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def accounts(self) -> Accounts:
        accounts: Accounts = self.app.state.accounts
        return accounts

    def client(self, role: str = "visiteur") -> TestClient:
        """A browser, signed in as ``role``."""
        client = TestClient(self.app, base_url=SITE, follow_redirects=False)
        client.headers["sec-fetch-site"] = "same-origin"
        if role in self.people:
            secret = self.accounts.open_session(self.people[role].id, "web", timedelta(hours=1))
            client.cookies.set("odds", self.app.state.signer.sign(secret).decode())
        return client


def settings(**changes: object) -> Settings:
    return Settings.model_validate(
        {"title": "Observatoire", "publisher": "Observatoire", "contact": "l’équipe", "public_url": SITE}
        | changes
    )


@cache
def registered() -> tuple[bytes, dict[str, Person]]:
    """The database of accounts with an organisation a role, written once, and its people."""
    people = {}
    with TemporaryDirectory() as folder:
        accounts = Accounts(Path(folder) / "accounts.sqlite")
        for role, rights in ROLES.items():
            if rights is None:
                continue
            access, partners = rights
            organisation = accounts.save_organisation(
                f"Organisation {role}",
                access,
                partners=partners,
                runs_observatory=role == "observatoire",
                territory="93008",
            )
            for name, administrator in ((role, role == "observatoire"), (f"{role}-admin", True)):
                person = accounts.add_person(
                    f"{name}@exemple.fr",
                    f"Personne {name}",
                    organisation.id,
                    administrator=administrator,
                )
                accounts.set_password(person.id, ENCODED)
                people[name] = person
        accounts.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return accounts.path.read_bytes(), people


def open_site(project: Project, observatory: Home, folder: Path, **changes: object) -> Site:
    """A site of its own accounts over releases that are there; ``changes`` are to its settings."""
    home = Home(folder)
    home.path.mkdir()
    for name in ("releases", "publications"):
        (home.path / name).symlink_to(observatory.path / name, target_is_directory=True)
    database, people = registered()
    home.accounts.parent.mkdir(mode=0o700)
    home.accounts.write_bytes(database)
    return Site(create_app(project, home, settings(**changes)), home, dict(people))


@pytest.fixture
def make_site(observatory: Home, project: Project, tmp_path: Path) -> Callable[..., Site]:
    """A site over the shared releases; ``changes`` are to its settings."""
    return lambda **changes: open_site(project, observatory, tmp_path / "site", **changes)


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()
