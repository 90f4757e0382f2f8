"""A deployment: where the observatory runs, what it keeps its figures in, and for which territories.

``ODDS_DEPLOYMENT`` names a file of ``resources/deployments/``, ``local`` by default, or is the path
of a file elsewhere. Passwords are never in these files: they name environment variables.
"""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from odds_pipeline.declarations.base import Declaration, Name, Sentence
from odds_pipeline.declarations.problems import DeclarationError, Problem
from odds_pipeline.declarations.root import project_root
from odds_pipeline.declarations.validation import Reader

EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]


class FileStorage(Declaration):
    """One DuckDB file under ``ODDS_HOME``: nothing to install, one writer at a time."""

    kind: Literal["duckdb"]


class LakeStorage(Declaration):
    """DuckLake: tables as Parquet files that several machines reach, their catalogue in PostgreSQL.

    ``catalogue`` names the environment variable that holds the connection string; ``data`` is a
    folder that every machine mounts, or ``s3://bucket/prefix``; ``$NAME`` stands for a variable.
    """

    kind: Literal["ducklake"]
    catalogue: EnvironmentName
    data: str

    @property
    def dsn(self) -> str:
        """The catalogue's connection string; :class:`LookupError` when the environment lacks it."""
        return from_environment(f"${self.catalogue}")

    @property
    def data_path(self) -> str:
        return from_environment(self.data)


class Deployment(Declaration):
    """``resources/deployments/<name>.yaml``."""

    label: Sentence
    storage: FileStorage | LakeStorage = Field(discriminator="kind")
    shared: str | None = Field(
        default=None,
        description="folder that every machine mounts, for landing, archive and releases; "
        "ODDS_HOME without it",
    )
    dagster: str = Field(description="Dagster's configuration, relative to the project folder")
    workspace: str = Field(
        default="workspace.yaml",
        description="where Dagster's daemon and UI find the code, relative to the project folder",
    )
    perimeter: list[str] | Literal["all"] = Field(
        description="codes of the départements in scope; all: every one of territories.csv"
    )
    partners: list[Name] | Literal["all"] = "all"
    schedules: Literal["running", "stopped"] = Field(
        default="stopped",
        description="whether all of Dagster's schedules run without being switched on one by one",
    )
    look_seconds: int = Field(
        default=60,
        ge=10,
        description="seconds from one look at the landing folder, and at what is to be computed, to the "
        "next: what came waits for two looks, for it must not change between them",
    )
    notify: list[EnvironmentName] = Field(
        default=[],
        description="environment variables that each hold an address of Apprise (mailto://…, json://…): "
        "told of failed runs, refused months, late feeds and releases",
    )
    letters: EnvironmentName | None = Field(
        default=None,
        description="environment variable that holds an e-mail address of Apprise (mailtos://…), whose "
        "recipient is replaced: members are written to of what they follow; without it none is offered",
    )
    interface: str = Field(
        default="http://127.0.0.1:3000",
        description="address of Dagster's interface, for the links of what is told",
    )

    @property
    def shared_folder(self) -> Path | None:
        return Path(from_environment(self.shared)).absolute() if self.shared else None

    def takes(self, partner: str) -> bool:
        """Whether the deployment has this partner."""
        return self.partners == "all" or partner in self.partners


def from_environment(text: str) -> str:
    """``text`` with its ``$NAME`` replaced; :class:`LookupError` names a variable that is not set."""
    expanded = os.path.expandvars(text)
    if "$" in expanded:
        name = expanded.partition("$")[2].strip("{}").partition("/")[0].rstrip("}")
        raise LookupError(f"the environment variable {name} is not set; this deployment needs it")
    return expanded


def read_deployment(path: Path, root: Path) -> Deployment:
    """Read one file; :class:`DeclarationError` lists its mistakes with their lines."""
    if not path.exists():
        raise DeclarationError([Problem(path, 1, "no such deployment file (ODDS_DEPLOYMENT)")])
    return Reader(root).required(Deployment, path)


def deployment_problems(root: Path) -> list[Problem]:
    """Mistakes of the deployments of a project folder, whichever of them is in use."""
    reader = Reader(root)
    for path in sorted((root / "resources" / "deployments").glob("*.yaml")):
        if not path.name.startswith("dagster-"):
            reader.declared(Deployment, path)
    return reader.problems


@cache
def _read(path: Path, root: Path) -> Deployment:
    return read_deployment(path, root)


_EMBEDDED = Deployment(
    label="Une machine, un fichier DuckDB, aucun service",
    storage=FileStorage(kind="duckdb"),
    dagster="dagster.yaml",
    perimeter="all",
)


def named_deployment(name: str) -> Deployment:
    """The deployment ``name`` of ``resources/deployments/``, or of the file of that path."""
    root, path = project_root(), Path(name)
    if path.suffix != ".yaml":
        path = root / "resources" / "deployments" / f"{name}.yaml"
    return _read(path.absolute(), root)


def deployment() -> Deployment:
    """The deployment of this process; a project folder that describes none runs embedded."""
    name = os.environ.get("ODDS_DEPLOYMENT", "")
    if not name and not (project_root() / "resources" / "deployments" / "local.yaml").exists():
        return _EMBEDDED
    return named_deployment(name or "local")
