"""The definition sheets of the indicators, as readers find them beside the values of a release."""

import json

import pandas as pd

from odds_pipeline.declarations.feed import Break
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
                "decimals": indicator.decimals,
                "formula": indicator.formula,
                "numerator": indicator.numerator,
                "denominator": indicator.denominator,
                "population": indicator.population,
                "direction": indicator.direction,
                "limits": indicator.limits,
                "cautions": list(indicator.cautions),
                "breaks": _breaks(project.breaks_of(indicator)),
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


def _breaks(breaks: list[Break]) -> str:
    rows = [b.model_dump(include={"month", "reason", "source"}) for b in breaks]
    return json.dumps(rows, ensure_ascii=False)
