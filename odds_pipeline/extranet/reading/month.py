"""One indicator as a page or a picture shows it: a level, a month, the territory that is followed."""

from dataclasses import dataclass

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.serving import Place, Row, View


@dataclass(frozen=True)
class Month:
    """``rows`` of all territories of ``level`` in ``month``; ``series`` of the ``compared`` ones."""

    sheet: Row
    months: list[Row]
    at_level: list[Row]
    levels: list[str]
    level: str
    month: str | None
    chosen: Place | None
    rows: list[Row]
    compared: list[Place]
    series: list[Row]

    @property
    def own(self) -> Row | None:
        """The row of the followed territory."""
        code = self.chosen.code if self.chosen else None
        return next((row for row in self.rows if row["territory"] == code), None)


def month_of(
    view: View, indicator: str, month: str | None, level: str | None, territory: str | None
) -> Month:
    """What is asked for, or else the finest level, its latest month, nobody followed."""
    sheet, months = view.indicator(indicator), queries.months_of(view, indicator)
    levels = queries.levels_of(view, indicator)
    level = level or (levels[0] if levels else "commune")
    at_level = [row for row in months if level in row["levels"]]
    month = month or (at_level[0]["month"] if at_level else None)
    chosen = view.place(territory) if territory else None
    codes = dict.fromkeys([*([chosen.code] if chosen else []), *_departements(view, chosen)])
    return Month(
        sheet,
        months,
        at_level,
        levels,
        level,
        month,
        chosen,
        queries.month_of(view, indicator, month, level) if month else [],
        [view.place(code) for code in codes],
        queries.series(view, indicator, list(codes)),
    )


def _departements(view: View, chosen: Place | None) -> list[str]:
    """The département of the chosen place, else those of the observatory."""
    codes = [chosen.departement] if chosen and chosen.departement else view.observatory.departements
    return [code for code in codes if code in view.places]
