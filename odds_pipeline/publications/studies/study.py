"""A study, from its declaration and one edition of a release to its tables and its verdict."""

from dataclasses import dataclass

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.study import Study
from odds_pipeline.publications.studies.composite import (
    composite,
    impute,
    normalise,
    ranks,
    screen,
    treat,
)
from odds_pipeline.publications.studies.sensitivity import Sensitivity, sensitivity
from odds_pipeline.publications.studies.typology import Typology, typology
from odds_pipeline.quality.findings import Finding, suite_findings
from odds_pipeline.storage.scratch import scratch
from odds_pipeline.storage.sql import one


@dataclass(frozen=True)
class StudyResult:
    """Everything a study says.

    ``values``: communes × usable indicators as published (``NaN``: unknown); ``months``: the reference
    months of each; ``reserves``: how many values of an indicator rest on an overruled
    rule; ``absent``: indicators without enough values, and why; ``treatments``: what was
    done to outliers; ``scores``: a column a dimension and ``index``; ``findings``: the gate's.
    """

    study: Study
    release: int
    published_at: str
    simulated: bool
    values: pd.DataFrame
    months: dict[str, str]
    reserves: dict[str, int]
    absent: dict[str, str]
    unranked: list[str]
    treatments: dict[str, str]
    imputed: pd.DataFrame
    normalised: pd.DataFrame
    scores: pd.DataFrame
    ranks: pd.Series
    sensitivity: Sensitivity
    typology: Typology
    findings: list[Finding]

    @property
    def refusals(self) -> list[Finding]:
        """The rules that forbid publishing."""
        return [finding for finding in self.findings if finding.refuses]

    @property
    def dimensions(self) -> dict[str, dict[str, float]]:
        """The usable indicators of each dimension that has some, with their weights."""
        return usable(self.study, list(self.values.columns))


class StudyRefused(Exception):
    """The gate of a study failed; the text says in French what is missing."""


def usable(study: Study, columns: list[str]) -> dict[str, dict[str, float]]:
    """The indicators of each dimension among ``columns``, with their weights."""
    found = {
        name: {i: one.weight for i, one in dimension.indicators.items() if i in columns}
        for name, dimension in study.dimensions.items()
    }
    return {name: indicators for name, indicators in found.items() if indicators}


_VALUES = """
SELECT indicator, month, territory, value, RESERVE AS reserve FROM indicator_values
WHERE level = 'commune' AND geography = $geography AND indicator IN (SELECT unnest($indicators))
  AND value IS NOT NULL AND conf_status = 'F'
"""


def _values(
    connection: duckdb.DuckDBPyConnection, study: Study, communes: list[str]
) -> tuple[pd.DataFrame, dict[str, str], dict[str, str], dict[str, int]]:
    """Communes × usable indicators; months of each; absent ones and why; values with a reserve.

    All communes are taken at the same month: the last one that enough of them have.
    """
    parameters = {"geography": study.geography, "indicators": list(study.indicators)}
    has = {row[0] for row in connection.execute("DESCRIBE indicator_values").fetchall()}
    # A release made before values carried reserves has no such column.
    reserve = "reserve" if "reserve" in has else "NULL"
    long = connection.execute(_VALUES.replace("RESERVE", reserve), parameters).df()
    columns: dict[str, pd.Series] = {}
    months: dict[str, str] = {}
    absent: dict[str, str] = {}
    reserves: dict[str, int] = {}
    for name, declared in study.indicators.items():
        table = long[long["indicator"] == name].pivot(index="territory", columns="month", values="value")
        table = table.reindex(communes).sort_index(axis=1)
        if table.shape[1] == 0:
            absent[name] = "aucune valeur dans cette édition"
            continue
        means = table.T.rolling(declared.months).mean().T
        known = means.notna().mean()
        enough = known[known >= study.coverage]
        if enough.empty:
            if table.shape[1] < declared.months:
                absent[name] = f"{table.shape[1]} mois disponibles sur {declared.months}"
            else:
                absent[name] = f"au plus {round(100 * known.max())} % des communes ont une valeur"
            continue
        last = str(enough.index[-1])
        columns[name] = means[last]
        at = list(table.columns).index(last)
        first = str(table.columns[at - declared.months + 1])
        months[name] = last if first == last else f"{first} à {last}"
        read = long[(long["indicator"] == name) & long["month"].between(first, last)]
        if count := int(read["reserve"].notna().sum()):
            reserves[name] = count
    return pd.DataFrame(columns, index=communes, dtype=float), months, absent, reserves


def run_study(project: Project, study: Study, connection: duckdb.DuckDBPyConnection) -> StudyResult:
    """Compute the study from an open edition of a release; the gate's findings are in the result.

    Raises :class:`StudyRefused` when fewer than two indicators are usable: there is no index at all.
    """
    about = one(connection, "SELECT number, published_at, simulated FROM about")
    communes = {t.code: t for t in project.territories.communes(study.geography)}
    values, months, absent, reserves = _values(connection, study, list(communes))
    if values.shape[1] < 2:
        labels = [project.indicators[name].indicator.short_label for name in absent]
        raise StudyRefused(
            f"L’étude « {study.label} » n’a pas deux indicateurs utilisables. "
            f"Manquent : {', '.join(labels)}."
        )
    ranked = screen(values, study.coverage)
    imputed = ranked.isna()
    complete = impute(ranked, {code: t.ept for code, t in communes.items()})
    oriented = complete * pd.Series(
        {n: -1 if study.indicators[n].fragile == "low" else 1 for n in complete.columns}
    )
    treated, treatments = {}, {}
    for name in oriented.columns:
        treated[name], how = treat(oriented[name])
        if how:
            treatments[name] = how
    data = pd.DataFrame(treated)
    # A column of one value says nothing of communes, and has no standard deviation to divide by.
    for name in [n for n in data.columns if data[n].nunique() < 2]:
        absent[name] = "la même valeur partout"
        data, values, imputed = (frame.drop(columns=name) for frame in (data, values, imputed))
    dimensions = usable(study, list(data.columns))
    weights = {name: study.dimensions[name].weight for name in dimensions}
    normalised = normalise(data)
    scores = composite(normalised, dimensions, weights)
    classes = typology(data, scores["index"])
    result = StudyResult(
        study=study,
        release=about[0],
        published_at=about[1],
        simulated=bool(about[2]),
        values=values,
        months=months,
        reserves=reserves,
        absent=absent,
        unranked=[code for code in communes if code not in ranked.index],
        treatments=treatments,
        imputed=imputed,
        normalised=normalised,
        scores=scores,
        ranks=ranks(scores["index"]),
        sensitivity=sensitivity(data, dimensions, weights),
        typology=classes,
        findings=[],
    )
    result.findings.extend(_gate(project, result))
    return result


def _gate(project: Project, result: StudyResult) -> list[Finding]:
    """The study's suite, on its own tables."""
    study, labels = result.study, project.indicators
    batch = result.imputed.rename_axis("territory").melt(
        ignore_index=False, var_name="indicator", value_name="imputed"
    )
    batch = batch.reset_index()
    batch["indicator_label"] = [labels[i].indicator.short_label for i in batch["indicator"]]
    used = usable(study, list(result.values.columns))
    communes = project.territories.communes(study.geography)
    classes = result.typology.classes.value_counts()
    tables = {
        "dimensions": pd.DataFrame(
            [(n, d.label, len(d.indicators), len(used.get(n, {}))) for n, d in study.dimensions.items()],
            columns=["dimension", "label", "declared", "used"],
        ),
        "communes": pd.DataFrame(
            [(t.code, t.label, t.code not in result.unranked) for t in communes],
            columns=["territory", "label", "ranked"],
        ),
        "classes": pd.DataFrame(
            [(k, int(classes[k]), s) for k, s in result.typology.stability.items()],
            columns=["class", "communes", "stability"],
        ),
    }
    with scratch() as connection:
        for name, frame in {"delivery": batch, **tables}.items():
            connection.register(name, frame)
        return suite_findings(project.rules(f"studies/{study.id}"), batch, connection)


def refusal(result: StudyResult) -> str:
    """What forbids publishing and what to do, in French; empty when nothing does."""
    lines = []
    for finding in result.refusals:
        details = " ; ".join(str(row["detail"]) for row in finding.rows if row.get("detail"))
        lines.append(f"{finding.message} {details}. {finding.remedy}")
    return "\n".join(lines)
