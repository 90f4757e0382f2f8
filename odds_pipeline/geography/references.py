"""The territory that a figure is compared with: that of a level which another one lies in."""

from odds_pipeline.geography.territories import Territories, Territory


def reference(territories: Territories, of: Territory, level: str) -> str | None:
    """The code of the territory of ``level`` that ``of`` lies in, itself where it is of that level."""
    if of.level == level:
        return of.code
    if level == "france":
        countries = (t.code for t in territories.all if (t.level, t.geography) == (level, of.geography))
        return next(countries, None)
    parents = (territories.by_key.get((code, of.geography)) for code in of.parents)
    return next((p.code for p in parents if p and p.level == level), None)
