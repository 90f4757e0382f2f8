"""Draws plausible figures for every variable, from ``resources/simulation/<partner>/<feed>.yaml``.

All figures descend from the real legal populations of 2021, share by share, so that parts fit their
wholes across partners. Draws depend on nothing but the names of the variable and of the commune: the
same figures come back on any machine, in any order.
"""

import csv
import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from odds_pipeline.declarations.checks.reach import REFERENCE
from odds_pipeline.declarations.problems import DeclarationError, Problem
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.simulation import Draw, Simulation
from odds_pipeline.months import number_of, year_of

Figures = NDArray[np.float64]
BASE_YEAR = 2021
POPULATIONS = "populations_2021.csv"


def _normal(*names: str) -> float:
    """A standard normal draw within ±2, from the hash of the names (Box-Muller)."""
    digest = hashlib.sha256("|".join(names).encode()).digest()
    u = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
    v = int.from_bytes(digest[8:16]) / 2**64
    return max(-2.0, min(2.0, math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)))


def split(total: Figures, weights: list[float]) -> list[Figures]:
    """Whole parts that add up exactly to ``total``, by largest remainder."""
    shares = np.array(weights) / sum(weights)
    raw = total[None, ...] * shares.reshape(-1, *([1] * total.ndim))
    parts = np.floor(raw)
    left = total - parts.sum(axis=0)
    order = np.argsort(np.argsort(-(raw - parts), axis=0, kind="stable"), axis=0, kind="stable")
    return list(parts + (order < left[None, ...]))


@dataclass
class Simulator:
    """Figures of every variable: communes × months, computed once each.

    ``months`` are consecutive. Communes are those of the oldest geography.
    """

    project: Project
    simulations: dict[str, Simulation]
    months: list[str]
    _known: dict[str, Figures] = field(default_factory=dict)

    @cached_property
    def communes(self) -> list[str]:
        return [
            t.code for t in self.project.territories.communes(self.project.territories.geographies[0])
        ]

    @cached_property
    def years(self) -> Figures:
        """Years since the base year, month by month."""
        return np.array([year_of(m) - BASE_YEAR + (number_of(m) - 1) / 12 for m in self.months])

    @cached_property
    def base(self) -> Figures:
        """Inhabitants of each commune. :class:`DeclarationError` names those of whom none are known."""
        population = self._by_commune(POPULATIONS, "population")
        if lacking := [code for code in self.communes if code not in population]:
            said = (
                f"simulated figures are shares of real populations, which {len(lacking)} communes lack "
                f"({', '.join(lacking[:5])}): write them as code;population"
            )
            raise DeclarationError([Problem(REFERENCE / POPULATIONS, 1, said)])
        return np.array([population[code] for code in self.communes])

    def _by_commune(self, name: str, column: str) -> dict[str, float]:
        path = self.project.root / REFERENCE / name
        if not path.exists():
            return {}
        with path.open(encoding="utf-8", newline="") as file:
            return {row["code"]: float(row[column]) for row in csv.DictReader(file, delimiter=";")}

    def figures(self, variable: str) -> Figures:
        """The variable's figures, drawn on first use."""
        if variable not in self._known:
            entry, _ = self.project.variables[variable]
            name = variable.split(".")[1]
            simulation = self.simulations[entry.id]
            for total, parts in simulation.ways:
                if name in parts:
                    pieces = split(
                        self.figures(entry.variable_id(total)), [float(w) for w in parts.values()]
                    )
                    for part, piece in zip(parts, pieces, strict=True):
                        self._known[entry.variable_id(part)] = piece
                    return self._known[variable]
            self._known[variable] = self._draw(entry, name, simulation.variables[name])
        return self._known[variable]

    @cached_property
    def modesty(self) -> Figures:
        """How modest each commune is: minus its published median living standard, standardised.

        Drawn where an observatory has no such file.
        """
        medians = self._by_commune("niveaux_de_vie_2020.csv", "niveau_vie_median")
        if not medians:
            return np.array([_normal("modesty", code) for code in self.communes])
        known = np.array([medians[code] for code in self.communes])
        return np.asarray(np.clip((known.mean() - known) / known.std(), -2, 2))

    def _shape(self, variable: str, draw: Draw) -> Figures:
        """The multiplier of a draw around 1: commune × month."""
        own = np.array([_normal(variable, code) for code in self.communes])
        drawn = draw.precarity * self.modesty + math.sqrt(1 - draw.precarity**2) * own
        between = 1 + draw.spread * np.clip(drawn, -2, 2)
        noise = np.array(
            [[_normal(variable, code, month) for month in self.months] for code in self.communes]
        )
        angle = np.array([2 * math.pi * (number_of(m) - 1) / 12 for m in self.months])
        time = (1 + draw.trend) ** self.years * (1 + draw.seasonal * np.cos(angle))
        # 1 % from month to month where communes differ at all: enough to look alive.
        return np.asarray(between[:, None] * time[None, :] * (1 + min(0.01, draw.spread) * noise))

    def _draw(self, entry: FeedEntry, name: str, draw: Draw) -> Figures:
        variable = entry.variable_id(name)
        declared = entry.feed.variables[name]
        unit = self.project.units[declared.unit]
        if draw.total_of is not None:
            return np.asarray(sum(self.figures(entry.variable_id(part)) for part in draw.total_of))
        shape = self._shape(variable, draw)
        if draw.level is not None:
            figures = draw.level * shape
            digits = 0 if abs(draw.level) >= 1000 else 1 if abs(draw.level) >= 5 else 3
            figures = np.round(figures, digits)
        else:
            parent = draw.of if draw.of and "." in draw.of else entry.variable_id(str(draw.of))
            if parent == variable:
                parents = np.repeat(self.base[:, None], len(self.months), axis=1)
            else:
                parents = self.figures(parent)
            figures = np.floor(parents * float(draw.share or 0) * shape)
            if parent != variable and float(draw.share or 0) < 1:
                figures = np.minimum(figures, parents)
        if declared.part_of and f"{entry.partner.id}.{declared.part_of}" != variable:
            whole = entry.variable_id(declared.part_of)
            drawn_from_it = entry.feed.variables[declared.part_of].part_of == name
            own = self.simulations[entry.id].variables.get(declared.part_of)
            descends = own is not None and (own.of in (name, variable) or name in (own.total_of or []))
            if not drawn_from_it and not descends:
                figures = np.minimum(figures, self.figures(whole))
        low = unit.minimum if unit.minimum is not None else -np.inf
        high = unit.maximum if unit.maximum is not None else np.inf
        return np.clip(figures, low, high)
