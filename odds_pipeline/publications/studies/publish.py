"""A study from a release to its files: the document and its tables, or a refusal that says why."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from odds_pipeline.charts import read_ground
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.study import Study
from odds_pipeline.publications.origin import read_about
from odds_pipeline.publications.studies.profile import profile
from odds_pipeline.publications.studies.report import document
from odds_pipeline.publications.studies.study import StudyRefused, StudyResult, refusal, run_study
from odds_pipeline.publications.writer import folder_of, write_documents
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home


@dataclass(frozen=True)
class PublishedStudy:
    """Where the study was written; ``draft`` when its gate forbids publishing it."""

    folder: Path
    draft: bool
    result: StudyResult


def publish_study(
    project: Project,
    study: Study,
    home: Home,
    *,
    release: int | None = None,
    access: Access | None = None,
    draft_in: Path | None = None,
) -> PublishedStudy:
    """Write the study's document and tables.

    Raises :class:`StudyRefused` when the gate fails; with ``draft_in``, a draft marked as such is
    written in that folder instead, never among the publications.
    """
    access = access or study.access
    with open_release(home, release, access) as connection:
        about = read_about(connection)
        result = run_study(project, study, connection)
        households = read_households(connection, study)
    why = refusal(result)
    if why and draft_in is None:
        raise StudyRefused(f"L’étude « {study.label} » n’est pas publiée.\n{why}")
    ground = read_ground(
        project.territories, project.root / "resources" / "reference", home, study.geography
    )
    folder = draft_in or folder_of(home, about.release, access, study.id)
    one = document(project, result, about, ground, households)
    name = "brouillon" if why else "etude"
    written = write_documents(folder, [(name, one)], dict(tables(project, result)), among=bool(draft_in))
    return PublishedStudy(written.folder, bool(why), result)


def read_households(connection: duckdb.DuckDBPyConnection, study: Study) -> dict[str, float]:
    """Households of each commune, of the last month that has them."""
    rows = connection.execute(
        "SELECT territory, arg_max(value, month) FROM indicator_values WHERE indicator = $indicator "
        "AND geography = $geography AND level = 'commune' AND value IS NOT NULL GROUP BY territory",
        {"indicator": study.households, "geography": study.geography},
    ).fetchall()
    return {str(code): float(value) for code, value in rows}


def tables(project: Project, result: StudyResult) -> Iterator[tuple[str, bytes]]:
    """The result tables as CSV: scores and ranks of communes, what distinguishes classes."""
    labels = {t.code: t.label for t in project.territories.communes(result.study.geography)}
    scores = result.scores.copy()
    scores.insert(0, "libelle", [labels[code] for code in scores.index])
    scores["rang"] = result.ranks
    scores["rang_bas"] = result.sensitivity.intervals["low"]
    scores["rang_haut"] = result.sensitivity.intervals["high"]
    scores["classe"] = result.typology.classes
    ordered = scores.sort_values("rang", kind="stable").rename_axis("commune")
    yield "communes.csv", ordered.to_csv(sep=";", decimal=",", float_format="%.4f").encode()
    classes = profile(project, result)
    yield "classes.csv", classes.to_csv(sep=";", decimal=",", float_format="%.4f", index=False).encode()
