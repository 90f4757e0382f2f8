"""The variables that are delivered, kept and judged, and that nothing published reads."""

from odds_pipeline.declarations.declared import Declared


def unused_variables(declared: Declared) -> list[str]:
    """Variables that no formula, weight, comparison with a producer or rule of secrecy reads."""
    read: set[str] = set()
    for entry in declared.indicators.values():
        indicator = entry.indicator
        read |= {indicator.driving_variable, *indicator.parsed.variables}
        read |= {indicator.published_as} if indicator.published_as else set()
    read |= {declared.variables[v][1].aggregation for v in read} - {"sum", "none"}
    for feed in declared.feeds.values():
        if feed.secrecy.population:
            read.add(feed.secrecy.population.variable)
    return sorted(declared.variables.keys() - read)
