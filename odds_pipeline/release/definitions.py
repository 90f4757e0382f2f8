"""The definition sheets of the indicators, as readers find them beside the values of a release."""

import json
from collections.abc import Iterable
from typing import Any

import pandas as pd

from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.comparison import interval_of, years_apart


def definitions_table(project: Project) -> pd.DataFrame:
    """The definition sheet of every indicator, as readers find it in the release."""
    rows = []
    for entry in project.indicators.values():
        indicator = entry.indicator
        feeds = {project.variables[v][0].id: project.variables[v][0] for v in indicator.parsed.variables}
        rows.append(
            {
                "indicator": entry.id,
                "theme": entry.family.theme,
                "family": entry.family.id,
                "family_label": entry.family.label,
                "label": indicator.label,
                "short_label": indicator.short_label,
                "definition": indicator.definition,
                "unit": indicator.unit,
                "symbol": project.units[indicator.unit].symbol,
                "unit_label": project.units[indicator.unit].label,
                "kind": project.units[indicator.unit].kind,
                "adds_up": adds_up(project, indicator),
                "decimals": indicator.decimals,
                "to_the_unit": indicator.to_the_unit,
                "formula": indicator.formula,
                "numerator": indicator.numerator,
                "denominator": indicator.denominator,
                "population": indicator.population,
                "direction": indicator.direction,
                "limits": indicator.limits,
                "cautions": list(indicator.cautions),
                "breaks": _json(
                    b.model_dump(include={"month", "reason", "source"})
                    for b in project.breaks_of(indicator)
                ),
                "since": indicator.since,
                "notes": _json(notes_of(project, indicator)),
                "corrections": _json(corrections_of(project, indicator)),
                "weights": " ; ".join(weights_of(project, indicator)) or None,
                "source": " ; ".join(f.feed.source for f in feeds.values()),
                "licence": " ; ".join(sorted({f.partner.licence for f in feeds.values()})),
                "owner": indicator.owner,
                "change_unit": project.units[indicator.unit].change_unit,
                "years_apart": max(years_apart(project, indicator).values()),
                "interval": interval_of(project, indicator),
                "access": project.access_of(indicator),
                "partner_access": json.dumps(project.partner_access_of(indicator)),
                "declared_in": f"{entry.file}:{entry.line}",
            }
        )
    return pd.DataFrame(rows)


def adds_up(project: Project, indicator: Indicator) -> str | None:
    """How communes together have a value: the ``sum`` of theirs, the ``quotient`` of the sums of what is
    above and below, or none."""
    formula = indicator.parsed
    added = all(
        project.units[variable.unit].adds_up and variable.aggregation == "sum"
        for _, variable in (project.variables[v] for v in formula.variables)
    )
    elsewhere = any(t.at or t.month for t in formula.terms)
    if (
        not (added and formula.simple)
        or formula.root
        or elsewhere
        or formula.products[0].of("multiplier")
    ):
        return None
    return "quotient" if formula.denominator else "sum"


def _json(items: Iterable[Any]) -> str:
    return json.dumps(list(items), ensure_ascii=False)


def notes_of(project: Project, indicator: Indicator) -> list[str]:
    """What the contracts of all that it reads say of their files and of its variables."""
    read = [project.variables[v] for v in indicator.parsed.variables]
    notes = [note for entry, _ in read for note in entry.feed.notes]
    return list(dict.fromkeys([*notes, *(variable.note for _, variable in read if variable.note)]))


def corrections_of(project: Project, indicator: Indicator) -> list[dict[str, str]]:
    """The known errors of its sources: what is wrong, who was told, whether they agree."""
    names = {v.partition(".")[2] for v in indicator.parsed.variables}
    entries = {e.id: e for e in (project.variables[v][0] for v in indicator.parsed.variables)}
    return [
        {"reason": c.reason, "reported_to": c.reported_to, "status": c.status}
        for entry in entries.values()
        for c in entry.corrections
        if c.match.variable is None or c.match.variable in names
    ]


def weights_of(project: Project, indicator: Indicator) -> list[str]:
    """What weighs the means of an EPT or a département, in words."""
    read = (project.variables[v][1].aggregation for v in indicator.parsed.variables)
    weights = dict.fromkeys(name for name in read if name not in ("sum", "none"))
    return [project.variables[name][1].label for name in weights]
