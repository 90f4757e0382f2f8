"""A study, from its declaration and a release to its tables and its verdict."""

from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
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

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Pairs of dimensions and how far one tells the other: ``one``, ``other``, ``correlation``."""
        return _correlations(self)

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


NEARLY = 0.9
"""A month serves when it has as many communes as the best one, to a tenth: one that a few communes lack
is no reason to go back, one that a third of them lack is."""

_VALUES = """
SELECT indicator, month, territory, value, reserve, (ci_high - ci_low) / 2 / 1.959964 AS error
FROM indicator_values
WHERE level = 'commune' AND geography = $geography AND indicator IN (SELECT unnest($indicators))
  AND value IS NOT NULL AND conf_status = 'F'
"""


@dataclass(frozen=True)
class _Read:
    """``errors``: standard errors of the values, 0 where none is known."""

    values: pd.DataFrame
    errors: pd.DataFrame
    months: dict[str, str]
    absent: dict[str, str]
    reserves: dict[str, int]


def _read(connection: duckdb.DuckDBPyConnection, study: Study, communes: list[str]) -> _Read:
    """The figures of the study; all communes at the same month, the last that enough of them have."""
    parameters = {"geography": study.geography, "indicators": list(study.indicators)}
    long = connection.execute(_VALUES, parameters).df()
    read = _Read(
        pd.DataFrame(index=communes, dtype=float), pd.DataFrame(index=communes, dtype=float), {}, {}, {}
    )
    for name in study.indicators:
        own = long[long["indicator"] == name]
        month = last_month(own, len(communes), study.coverage)
        if own.empty:
            read.absent[name] = "aucune valeur dans cette édition"
        elif month is None:
            share = own.groupby("month")["territory"].nunique().max() / len(communes)
            read.absent[name] = f"au plus {round(100 * share)} % des communes ont une valeur"
        else:
            at = own[own["month"] == month].set_index("territory").reindex(communes)
            read.values[name] = at["value"].astype(float)
            read.errors[name] = at["error"].astype(float).fillna(_rounding(at["value"]))
            read.months[name] = month
            if count := int(at["reserve"].notna().sum()):
                read.reserves[name] = count
    return read


def last_month(own: pd.DataFrame, communes: int, coverage: float) -> str | None:
    """The last month nearly as complete as the best one, among those that enough communes have."""
    known = own.groupby("month")["territory"].nunique().sort_index()
    enough = known[(known >= coverage * communes) & (known >= NEARLY * known.max())]
    return None if enough.empty else str(enough.index[-1])


def _rounding(values: pd.Series) -> float:
    """The standard error of values that their producer rounds to the unit; 0 for others."""
    known = values.dropna()
    return float(1 / np.sqrt(12)) if len(known) and (known == known.round()).all() else 0.0


def run_study(project: Project, study: Study, connection: duckdb.DuckDBPyConnection) -> StudyResult:
    """Compute the study from an open release; the gate's findings are in the result.

    Raises :class:`StudyRefused` when fewer than two indicators are usable: there is no index at all.
    """
    about = one(connection, "SELECT number, published_at, simulated FROM about")
    communes = {t.code: t for t in project.territories.communes(study.geography)}
    read = _read(connection, study, list(communes))
    values, absent = read.values, read.absent
    if values.shape[1] < 2:
        labels = [project.indicators[name].indicator.short_label for name in absent]
        raise StudyRefused(
            f"L’étude « {study.label} » n’a pas deux indicateurs utilisables. "
            f"Manquent : {', '.join(labels)}."
        )
    ranked = screen(values, study.coverage)
    imputed = ranked.isna()
    complete = impute(ranked, {code: t.group for code, t in communes.items()})
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
        months=read.months,
        reserves=read.reserves,
        absent=absent,
        unranked=[code for code in communes if code not in ranked.index],
        treatments=treatments,
        imputed=imputed,
        normalised=normalised,
        scores=scores,
        ranks=ranks(scores["index"]),
        sensitivity=sensitivity(data, dimensions, weights, _errors(read, data, treatments)),
        typology=classes,
        findings=[],
    )
    result.findings.extend(_gate(project, result))
    return result


def _errors(read: _Read, data: pd.DataFrame, treatments: dict[str, str]) -> pd.DataFrame:
    """Standard errors of the treated table; none for what is no longer in its own unit."""
    errors = read.errors.loc[data.index, data.columns].fillna(0.0)
    changed = [name for name in data.columns if treatments.get(name) == "logarithme"]
    return errors.assign(**dict.fromkeys(changed, 0.0))


def _correlations(result: StudyResult) -> pd.DataFrame:
    """Each pair of dimensions with the correlation of their scores, the strongest first."""
    scores = result.scores
    names = [name for name in result.study.dimensions if name in scores.columns]
    rows = [
        (result.study.dimensions[a].label, result.study.dimensions[b].label, scores[a].corr(scores[b]))
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    frame = pd.DataFrame(rows, columns=["one", "other", "correlation"])
    return frame.sort_values("correlation", ascending=False, kind="stable", ignore_index=True)


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
        "correlations": result.correlations,
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
