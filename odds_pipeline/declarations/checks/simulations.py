"""Checks a simulation against the contract whose files it draws."""

from collections.abc import Iterator

from odds_pipeline.declarations.checks.names import variable_missing
from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.simulation import Simulation
from odds_pipeline.declarations.yaml_file import YamlFile


def simulation_problems(
    declared: Declared, entry: FeedEntry, simulation: Simulation, file: YamlFile
) -> Iterator[Problem]:
    """Every mistake of one feed's simulation."""
    feed = entry.feed
    formats = {f.id for f in feed.formats}
    if simulation.format not in formats:
        message = f"no format {simulation.format!r} in {entry.id}{nearest(simulation.format, formats)}"
        yield file.problem(("format",), message)
    drawn = {*simulation.variables, *(p for _, parts in simulation.ways for p in parts)}
    for name in sorted(drawn - feed.names):
        message = f"no variable {name!r} in {entry.id}{nearest(name, feed.names)}"
        yield file.problem(("variables", name), message)
    for name in sorted(entry.own.keys() - drawn):
        yield file.problem(("variables",), f"variable {name!r} is not simulated")
    for name, draw in simulation.variables.items():
        parent = draw.of if draw.of is None or "." in draw.of else entry.variable_id(draw.of)
        if parent is not None and (message := variable_missing(declared, parent)):
            yield file.problem(("variables", name, "of"), message)
