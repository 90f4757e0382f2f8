"""Reads the simulations of ``resources/simulation/<partner>/<feed>.yaml``, one for each feed."""

from odds_pipeline.declarations.checks.simulations import simulation_problems
from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.problems import DeclarationError, Problem
from odds_pipeline.declarations.simulation import Simulation
from odds_pipeline.declarations.validation import Reader


def load_simulations(declared: Declared) -> dict[str, Simulation]:
    """Simulations by feed; :class:`DeclarationError` lists every mistake with file and line."""
    simulations, problems = read_simulations(declared)
    if problems:
        raise DeclarationError(problems)
    return simulations


def read_simulations(declared: Declared) -> tuple[dict[str, Simulation], list[Problem]]:
    """Simulations by feed, and every mistake in them."""
    reader = Reader(declared.root)
    simulations: dict[str, Simulation] = {}
    for entry in declared.feeds.values():
        path = declared.root / "resources" / "simulation" / f"{entry.id}.yaml"
        if not path.exists() and not entry.own:
            continue  # what it delivers is drawn by the contracts that define it
        if not path.exists():
            message = f"no simulation: resources/simulation/{entry.id}.yaml is missing"
            reader.problems.append(entry.file.problem((), message))
        elif read := reader.declared(Simulation, path):
            simulations[entry.id], file = read
            reader.problems += simulation_problems(declared, entry, simulations[entry.id], file)
    return simulations, reader.problems
