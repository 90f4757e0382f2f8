"""A reader who attacks: what he was given to read, the rules, which are public, and integer programmes.

Nothing here comes from the code that protects: the rules are read in the declarations, the sums in the list
of territories. He is told which hidden figures a revision changed, which no reader knows so well.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from odds_pipeline.declarations.formula import Formula
from odds_pipeline.declarations.project import Project
from odds_pipeline.months import shifted
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

Cell = tuple[str, int, str]
"""Variable, place, month."""
Unknown = tuple[Cell, float | None]
"""A hidden cell, and the figure it stands for: a figure that was revised is another one."""
Terms = dict[Unknown, float]
POPULATION = "insee.population_municipale"
MARGIN = 0.2
"""A secret amount must not be known to better than this share of it."""


@dataclass
class Said:
    """What one release says: figures, marks (``C``, ``D``, ``producteur``), sums that it shows as such, and
    the figures that each value rests on which is shown and takes them from other months or places."""

    known: dict[Cell, float] = field(default_factory=dict)
    marks: dict[Cell, str] = field(default_factory=dict)
    bounds: dict[Cell, float] = field(default_factory=dict)
    sums: list[tuple[dict[Cell, float], float]] = field(default_factory=list)
    derived: list[set[Cell]] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """What he knows of a secret figure, and what the rule lets him know."""

    cell: Cell
    other: str | None  # the whole of which the cell is a part, when the secret is what remains
    truth: float
    low: float
    high: float
    least: float
    most: float

    @property
    def narrow(self) -> bool:
        return self.low > self.least + 1e-5 or self.high < self.most - 1e-5

    @property
    def exact(self) -> bool:
        return self.high - self.low < 1e-5

    @property
    def wrong(self) -> bool:
        return not self.low - 1e-5 <= self.truth <= self.high + 1e-5


class Rules:
    """What anyone reads in the declarations: thresholds, sums, parts, territories."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.place = project.territories.places
        numbers = {place: n for n, place in enumerate(dict.fromkeys(self.place.values()))}
        self.number = {key: numbers[place] for key, place in self.place.items()}
        self.leaves = {
            self.number[t.code, t.geography]
            for t in project.territories.all
            if t.level == "commune" or t.communes
        }
        self.wholes = list(self._wholes())
        self.sums = [
            (entry.variable_id(total), [entry.variable_id(p) for p in parts])
            for entry in project.feeds.values()
            for total, parts in entry.feed.partitions
        ]
        self.totals = {total for total, _ in self.sums}
        self.parts = {
            entry.variable_id(name): entry.variable_id(variable.part_of)
            for entry in project.feeds.values()
            for name, variable in entry.own.items()
            if variable.part_of
        }
        self.rests = list(self._rests())

    def kind(self, variable: str) -> str:
        return self.project.units[self.project.variables[variable][1].unit].kind

    def adds_up(self, variable: str) -> bool:
        declared = self.project.variables[variable][1]
        return self.kind(variable) in ("count", "amount") and declared.aggregation == "sum"

    def threshold(self, variable: str) -> int:
        entry, declared = self.project.variables[variable]
        rule = entry.secrecy
        return (
            rule.threshold
            if self.kind(variable) == "count" and declared.unit in (rule.units or [declared.unit])
            else 0
        )

    def given_by_each(self, variable: str) -> bool:
        """Whether the body of each commune gives its own figure."""
        return bool(self.project.variables[variable][0].secrecy.contributors)

    def rest(self, part: str) -> int:
        """The rule on what remains of a whole beside a part."""
        whole, rounding = self.parts[part], self.project.variables[part][0].secrecy.rounding
        least = max(self.threshold(part), self.threshold(whole)) if self.threshold(part) else 0
        return 0 if rounding and rounding >= least else least

    def _rests(self) -> Iterator[tuple[dict[str, float], set[str], int, bool]]:
        """Groups that a reader counts by taking counts from others: what a published share leaves out of its
        whole, and what an indicator publishes; the total each is taken from, the rule, and whether it is
        published."""
        for entry in self.project.indicators.values():
            formula = entry.indicator.parsed
            for above, below in ((p.of("numerator"), p.of("denominator")) for p in formula.products):
                if any(t.key != t.variable or abs(t.coefficient) != 1 for t in (*above, *below)):
                    continue
                if any(self.kind(t.variable) != "count" for t in (*above, *below)):
                    continue
                for side in (above, below):
                    signs = {t.variable: t.coefficient for t in side}
                    if min(signs.values(), default=1.0) < 0:
                        yield (
                            signs,
                            {v for v in signs if signs[v] > 0},
                            max(map(self.threshold, signs)),
                            True,
                        )
                share = self.project.units[entry.indicator.unit].kind == "proportion"
                if share and formula.simple and above and below:
                    left = defaultdict(float, {t.variable: t.coefficient for t in below})
                    for t in above:
                        left[t.variable] -= t.coefficient
                    signs = {v: k for v, k in left.items() if k}
                    rules = [self.threshold(v) for v in signs]
                    rounded = any(self.project.variables[v][0].secrecy.rounding for v in signs)
                    if len(signs) > 1 and min(rules) and not rounded:
                        yield signs, {t.variable for t in below}, max(rules), False

    def _wholes(self) -> Iterator[tuple[int, frozenset[int]]]:
        """Each whole and its parts, as places: communes of an EPT, EPT of the département, mergers, and
        the neighbourhoods of the département, or of a commune that none of them goes beyond."""
        found: dict[tuple[int, str, int], set[int]] = defaultdict(set)
        for t in self.project.territories.all:
            for code in (t.departement, *t.communes) if t.communes else ():
                found[self.number[code, t.geography], t.level, t.geography].add(
                    self.number[t.code, t.geography]
                )
        for t in self.project.territories.all:
            for code in t.communes if len(t.communes) > 1 else ():
                found.pop((self.number[code, t.geography], t.level, t.geography), None)
        for t in self.project.territories.all:
            for code in (
                t.parents if t.level == "commune" else (t.departement,) if t.level == "ept" else ()
            ):
                found[self.number[code, t.geography], t.level, t.geography].add(
                    self.number[t.code, t.geography]
                )
        for year, source, target in self.project.territories.mergers:
            found[self.number[target, year], "merger", year].add(self.number[source, year - 1])
        yield from dict.fromkeys(
            (whole, frozenset(parts)) for (whole, _, _), parts in found.items() if whole not in parts
        )


class Truth:
    """What the observatory knows, at the time of a release: to say what a revision changed, and who is right."""

    def __init__(self, rules: Rules, home: Home) -> None:
        self.values: dict[Cell, float | None] = {}
        with Store(home.warehouse).connect() as connection:
            rows = connection.execute(
                "SELECT variable, territory, geography, month, value FROM observations "
                "JOIN trusted_months USING (delivery, month) WHERE known_to IS NULL"
            ).fetchall()
        for variable, territory, geography, month, value in rows:
            if rules.adds_up(variable):
                self.values[variable, rules.number[territory, geography], month] = value
        for variable, month in {(v, m) for v, _, m in self.values}:
            # Mergers first: what is added up there is a part of the larger wholes.
            for whole, parts in sorted(rules.wholes, key=lambda w: len(w[1])):
                values = [self.values.get((variable, p, month)) for p in parts]
                if all((variable, p, month) in self.values for p in parts):
                    total = None if None in values else sum(v for v in values if v is not None)
                    self.values.setdefault((variable, whole, month), total)


class Reader:
    """He keeps all that he has read, and tries each secret figure of some months."""

    def __init__(self, project: Project) -> None:
        self.rules = Rules(project)
        self.said: list[tuple[Said, Truth]] = []

    # What he reads.

    def read_class_file(self, home: Home, release: int, access: str, truth: Truth) -> None:
        """A class file: the values, the merged commune's past, the figures they rest on."""
        said = Said()
        with open_release(home, release, access) as connection:  # type: ignore[arg-type]  # a literal
            for table in ("indicator_values", "converted_values"):
                self._read(said, connection.execute(
                    "SELECT v.indicator, territory, geography, month, value, v.numerator, v.denominator, conf_status "
                    f"FROM {table} v"
                ).fetchall())  # fmt: skip
            for variable, territory, geography, month, value, hidden_by, bound in connection.execute(
                "SELECT variable, territory, geography, month, value, hidden_by, lower_bound FROM observations"
            ).fetchall():
                cell = variable, self.rules.number[territory, geography], month
                if value is not None:
                    said.known[cell] = value
                elif hidden_by:
                    said.marks[cell] = {"primaire": "C", "secondaire": "D"}.get(hidden_by, hidden_by)
                    said.bounds[cell] = bound or 0.0
        self.said.append((said, truth))

    def read_values(self, rows: Iterable[tuple], truth: Truth) -> None:  # type: ignore[type-arg]  # as exports hold them
        """Values as the site gives them: indicator, territory, geography, month, value, numerator,
        denominator, mark."""
        said = Said()
        self._read(said, rows)
        self.said.append((said, truth))

    def _read(self, said: Said, rows: Iterable[tuple]) -> None:  # type: ignore[type-arg]  # as exports hold them
        hidden = []
        for indicator, territory, geography, month, value, numerator, denominator, mark in rows:
            formula = self.rules.project.indicators[indicator].indicator.parsed
            if value is not None and (rests := self._rests_on(formula, territory, geography, month)):
                said.derived.append(rests)
            if not formula.simple or any(t.at or t.month for t in formula.terms):
                continue  # of several rates or territories: it knows the figures they are computed from
            feed = self.rules.project.variables[formula.terms[0].variable][0].id
            place = self.rules.number[territory, geography]
            sides = {
                side: {
                    (t.variable, place, month): t.coefficient
                    for t in terms
                    if not t.lag
                    and not t.window
                    # Counts of two contracts that are added or taken away are of one month.
                    and (len(terms) > 1 or self.rules.project.variables[t.variable][0].id == feed)
                    and self.rules.adds_up(t.variable)
                }
                for side, terms in (("n", formula.numerator), ("d", formula.denominator))
            }
            lengths = {"n": len(formula.numerator), "d": len(formula.denominator)}
            if value is None:
                if mark in ("C", "D"):
                    hidden.append((mark, {**sides["n"], **sides["d"]}, formula.terms))
                continue
            shown = {"n": value / formula.factor if numerator is None else numerator, "d": denominator}
            for side, terms in sides.items():
                if len(terms) == lengths[side] == 1 and shown[side] is not None:
                    ((cell, coefficient),) = terms.items()
                    said.known[cell] = shown[side] / coefficient
                elif terms and len(terms) == lengths[side] and shown[side] is not None:
                    said.sums.append((terms, shown[side]))
        for mark, cells, terms in hidden:
            doubtful = [c for c in cells if c not in said.known and self._secret(c[0])]
            others = [
                t for t in terms if (t.variable in {v for v, _, _ in cells}) < self._secret(t.variable)
            ]
            if len(doubtful) == 1 and not others:
                said.marks.setdefault(doubtful[0], mark)

    def _rests_on(self, formula: Formula, territory: str, geography: int, month: str) -> set[Cell]:
        """The figures of a value that takes some of them from other months or places, or from several rates;
        nothing for any other. A figure of another contract may be of an earlier month: it is left out."""
        if formula.simple and not any(t.at or t.month or t.lag or t.window for t in formula.terms):
            return set()
        feed = self.rules.project.variables[formula.terms[0].variable][0].id
        here = self.rules.project.territories.by_key[territory, geography]
        found = set()
        for t in formula.terms:
            own = self.rules.project.variables[t.variable][0].id == feed
            code = {
                "": territory,
                here.level: territory,
                "departement": here.departement,
                "ept": here.ept,
            }.get(t.at)
            place = self.rules.number.get((code, geography)) if code else None
            if own and place is not None:
                last = t.month or shifted(month, -t.lag)
                found |= {(t.variable, place, shifted(last, -n)) for n in range(12 if t.window else 1)}
        return found

    def _secret(self, variable: str) -> bool:
        entry = self.rules.project.variables[variable][0]
        return entry.secrecy.threshold > 0

    # What he derives.

    def attack(self, months: Iterable[str] | None = None) -> list[Told]:
        """All that he knows of each secret figure."""
        return [told for month in self._months(months) for told in _System(self, month).attack()]

    def attack_as_each(self, owners: Iterable[int], months: Iterable[str] | None = None) -> list[Told]:
        """The same for the body of each place in turn, that gave its own figures and knows them: where
        these tell anything besides."""
        found: list[Told] = []
        for month in self._months(months):
            system = _System(self, month)
            for own in owners:
                found += system.attack(own)
        return found

    def over_secrets(self) -> tuple[int, int]:
        """Values shown that rest on other months or places, and those of which the same release hides a figure: the
        others say nothing that the figures do not."""
        shown = [(rests, said.marks) for said, _ in self.said for rests in said.derived]
        return len(shown), sum(not rests.isdisjoint(marks) for rests, marks in shown)

    def in_the_open(self) -> list[Cell]:
        """Small counts under a rule that a release shows as they are, itself or as a side of a rate."""
        return [
            cell
            for said, _ in self.said
            for cell, value in said.known.items()
            if self.rules.kind(cell[0]) == "count" and 0 < value < self.rules.threshold(cell[0])
        ]

    def _months(self, months: Iterable[str] | None) -> list[str]:
        said = {m for said, _ in self.said for _, _, m in said.marks}
        return sorted(said if months is None else set(months))


class _System:
    """One month: unknowns with their bounds, and the equations that hold them."""

    def __init__(self, reader: Reader, month: str) -> None:
        self.rules, self.month = reader.rules, month
        self.known: dict[Unknown, float] = {}
        self.marks: dict[Unknown, str] = {}
        self.least: dict[Unknown, float] = {}
        self.population: dict[int, float] = {}
        self.rows: dict[frozenset[tuple[Unknown, float]], float] = {}
        self.wholes: set[Unknown] = set()
        self.pairs: set[tuple[Unknown, Unknown]] = set()
        self.rests: dict[frozenset[tuple[Unknown, float]], int] = {}
        releases = [(said, truth, self._cells(said, truth)) for said, truth in reader.said]
        for said, truth, cells in releases:
            self._note(said, truth, cells)
        for said, truth, cells in releases:
            self._equations(said, truth, cells)
        self._lay_out()

    def _cells(self, said: Said, truth: Truth) -> dict[tuple[str, int], Unknown]:
        """The cells of the month that this release shows or hides."""
        return {
            (cell[0], cell[1]): (cell, truth.values.get(cell))
            for cell in [*said.known, *said.marks]
            if cell[2] == self.month
        }

    def _note(self, said: Said, truth: Truth, cells: dict[tuple[str, int], Unknown]) -> None:
        for unknown in cells.values():
            cell, _ = unknown
            if cell in said.known:
                self.known[unknown] = said.known[cell]
            else:
                self.marks[unknown] = said.marks[cell]
                self.least[unknown] = max(said.bounds.get(cell, 0.0), self.least.get(unknown, 0.0))
        for (variable, place, month), value in sorted(said.known.items(), key=lambda item: item[0][2]):
            if variable == POPULATION and month <= self.month:
                self.population[place] = value

    def _equations(self, said: Said, truth: Truth, cells: dict[tuple[str, int], Unknown]) -> None:
        for variable in {v for v, _ in cells}:
            for whole, parts in self.rules.wholes:
                self._sum(truth, cells, (variable, whole), [(variable, p) for p in parts])
        for total, parts in self.rules.sums:
            for place in {p for v, p in cells if v == total}:
                self._sum(truth, cells, (total, place), [(v, place) for v in parts])
        for terms, told in said.sums:
            if all(c[2] == self.month for c in terms):
                self._row({(c, truth.values.get(c)): k for c, k in terms.items()}, told)
        for (variable, place), part in cells.items():
            whole = cells.get((self.rules.parts.get(variable, ""), place))
            if whole and (part[1] is None or whole[1] is None or part[1] <= whole[1]):
                self.pairs.add((whole, part))
        self._leave(cells)

    def _leave(self, cells: dict[tuple[str, int], Unknown]) -> None:
        """What is left where counts are taken from others; of a small total its mark says as much."""
        for signs, total, least, published in self.rules.rests:
            for place in {p for v, p in cells if v in signs}:
                found = [(cells.get((v, place)), k) for v, k in signs.items()]
                terms = [(u, k, u[1]) for u, k in found if u and u[1] is not None]
                whole = sum(value * k for u, k, value in terms if u[0][0] in total)
                if len(terms) == len(signs) and (published or whole >= least):
                    self.rests[frozenset((u, k) for u, k, _ in terms)] = least

    def _sum(
        self,
        truth: Truth,
        cells: dict[tuple[str, int], Unknown],
        whole: tuple[str, int],
        parts: list[tuple[str, int]],
    ) -> None:
        """A whole and its parts; one that no release shows or hides is unknown like any other."""
        if not any(part in cells for part in parts):
            return
        terms: Terms = {}
        for key, sign in ((whole, 1.0), *((part, -1.0) for part in parts)):
            cell = key[0], key[1], self.month
            if cell not in truth.values:
                if sign > 0:
                    return
                continue  # no line: none
            terms[cells.get(key, (cell, truth.values[cell]))] = sign
        values = [(u[1], sign) for u, sign in terms.items()]
        if (
            all(v is not None for v, _ in values)
            and abs(sum(v * s for v, s in values if v is not None)) > 1e-6
        ):
            return  # a whole that is delivered apart, and does not add up
        if len(terms) > 1:
            self.wholes.add(next(u for u, sign in terms.items() if sign > 0))
            self._row(terms, 0.0)

    def _row(self, terms: Terms, told: float) -> None:
        self.rows[frozenset(terms.items())] = told

    def _gave(self, unknown: Unknown, own: int | None) -> bool:
        """Whether the body of place ``own`` gave the figure, which is hidden from others."""
        (variable, place, _), value = unknown
        hidden = unknown in self.marks and unknown not in self.known
        return place == own and hidden and value is not None and self.rules.given_by_each(variable)

    def bounds(self, unknown: Unknown) -> tuple[float, float]:
        """What the mark tells, and the rule on the figure; a figure that is rounded is known within a half."""
        (variable, place, _), _ = unknown
        entry, declared = self.rules.project.variables[variable]
        if unknown in self.known:
            half = (entry.secrecy.rounding or 0) / 2 if self.rules.kind(variable) == "count" else 0.0
            return self.known[unknown] - half, self.known[unknown] + half
        threshold, mark = self.rules.threshold(variable), self.marks.get(unknown)
        leaf = unknown not in self.wholes and place in self.rules.leaves
        people = self.rules.project.units[declared.unit].counts == "people"
        most = self.population.get(place, np.inf) if people else np.inf
        if leaf and threshold and mark == "C":
            return 1.0, threshold - 1.0
        if leaf and threshold and mark == "D":
            return float(threshold), most
        return self.least.get(unknown, 0.0), most

    def _rule(self, unknown: Unknown, own: int | None) -> tuple[float, float] | None:
        """What may be known of it at most; ``None`` when it is no secret of ours."""
        (variable, _, _), value = unknown
        threshold, mark = self.rules.threshold(variable), self.marks.get(unknown)
        if unknown in self.known or mark not in ("C", "D") or value is None or self._gave(unknown, own):
            return None
        if self.rules.kind(variable) == "amount":
            return (value * (1 - MARGIN), value * (1 + MARGIN)) if mark == "C" else None
        if not 0 < value < threshold:
            return None
        return (value, threshold - 1.0) if unknown in self.wholes else (1.0, threshold - 1.0)

    def _lay_out(self) -> None:
        """Unknowns in columns; equations, then pairs of a whole and a part, in rows."""
        self.unknowns = list(
            {u for terms in self.rows for u, _ in terms}
            | set(self.marks)
            | {u for p in self.pairs for u in p}
            | {u for terms in self.rests for u, _ in terms}
        )
        self.index = index = {u: i for i, u in enumerate(self.unknowns)}
        self.ordered = sorted(self.pairs, key=lambda p: (index[p[0]], index[p[1]]))
        entries = [(r, index[u], k) for r, terms in enumerate(self.rows) for u, k in terms]
        entries += [
            (len(self.rows) + r, index[u], k)
            for r, p in enumerate(self.ordered)
            for u, k in zip(p, (1.0, -1.0), strict=True)
        ]
        told = np.array(list(self.rows.values()))
        self.low = np.concatenate([told, np.zeros(len(self.ordered))])
        self.high = np.concatenate([told, np.full(len(self.ordered), np.inf)])
        row, column, sign = (
            (np.array(x) for x in zip(*entries, strict=True)) if entries else (np.zeros(0, int),) * 3
        )
        self.matrix = sparse.csr_array((sign, (row, column)), shape=(len(self.low), len(self.unknowns)))
        self.whole = np.array([self.rules.kind(u[0][0]) == "count" for u in self.unknowns])
        bounds = np.array([self.bounds(u) for u in self.unknowns]).reshape(-1, 2)
        self.anyone = _Programme(self.matrix, self.low, self.high, bounds, self.whole)

    def _programme(self, his: list[int]) -> "_Programme":
        """What he solves who gave these figures, and knows them."""
        bounds = self.anyone.bounds.copy()
        bounds[his] = np.array([[self.unknowns[i][1]] for i in his], dtype=float)
        return _Programme(self.matrix, self.low, self.high, bounds, self.whole)

    def attack(self, own: int | None = None) -> list[Told]:
        """What is told of each secret; for ``own``, of those that equations tie to a figure he gave."""
        index, block = self.index, self.anyone.block
        his = [i for i, u in enumerate(self.unknowns) if own is None or self._gave(u, own)]
        if not his:
            return []
        concerned = set(block[his].tolist())
        programme = self.anyone if own is None else self._programme(his)
        found = []
        for unknown in self.unknowns:
            if block[index[unknown]] in concerned and (rule := self._rule(unknown, own)):
                low_end, high_end = programme.ends({index[unknown]: 1.0})
                found.append(Told(unknown[0], None, float(unknown[1] or 0), low_end, high_end, *rule))
        for total, part in self.ordered:
            tied = {block[index[total]], block[index[part]]} & concerned
            if not tied or self._gave(total, own) or self._gave(part, own):
                continue
            least = self.rules.rest(part[0][0])
            if total[1] is None or part[1] is None or not 0 < total[1] - part[1] < least <= total[1]:
                continue  # what remains of a small count is told by its mark
            ends = programme.ends({index[total]: 1.0, index[part]: -1.0})
            found.append(Told(part[0], total[0][0], total[1] - part[1], *ends, 1.0, least - 1.0))
        for terms, least in self.rests.items():
            rest = sum((u[1] or 0.0) * k for u, k in terms)
            tied = {block[index[u]] for u, _ in terms} & concerned
            if 0 < rest < least and tied and not any(self._gave(u, own) for u, _ in terms):
                ends = programme.ends({index[u]: k for u, k in terms})
                first = next(u for u, k in terms if k > 0)
                found.append(Told(first[0], "what is left", rest, *ends, 1.0, least - 1.0))
        return found


class _Programme:
    """The least and the greatest value of a sum of unknowns, over the unknowns that equations tie to it."""

    def __init__(self, matrix: sparse.csr_array, low, high, bounds, whole) -> None:  # type: ignore[no-untyped-def]  # arrays
        self.matrix, self.low, self.high, self.bounds, self.whole = matrix, low, high, bounds, whole
        free = bounds[:, 0] < bounds[:, 1]
        tied = sparse.coo_array(matrix[:, np.flatnonzero(free)])
        columns = np.flatnonzero(free)[tied.coords[1]]
        rows, size = matrix.shape
        graph = sparse.coo_array(
            (np.ones(len(columns)), (columns, size + tied.coords[0])), shape=(size + rows,) * 2
        )
        labels = sparse.csgraph.connected_components(graph, directed=False)[1]
        self.block, self.row_block = labels[:size], labels[size:]
        self.kept: dict[frozenset[int], tuple] = {}  # type: ignore[type-arg]  # arrays

    def ends(self, cost: dict[int, float]) -> tuple[float, float]:
        sure = sum(
            k * self.bounds[i, 0] for i, k in cost.items() if self.bounds[i, 0] == self.bounds[i, 1]
        )
        asked = {i: k for i, k in cost.items() if self.bounds[i, 0] < self.bounds[i, 1]}
        if not asked:
            return sure, sure
        blocks = frozenset(int(self.block[i]) for i in asked)
        if blocks not in self.kept:
            cells = np.flatnonzero(
                np.isin(self.block, list(blocks)) & (self.bounds[:, 0] < self.bounds[:, 1])
            )
            rows = np.flatnonzero(np.isin(self.row_block, list(blocks)))
            fixed = np.where(self.bounds[:, 0] == self.bounds[:, 1], self.bounds[:, 0], 0.0)
            told = (self.matrix[rows] @ fixed) if len(rows) else np.zeros(0)
            self.kept[blocks] = (
                cells, LinearConstraint(self.matrix[rows][:, cells], self.low[rows] - told, self.high[rows] - told)
                if len(rows) else None,
            )  # fmt: skip
        cells, constraint = self.kept[blocks]
        weight = np.zeros(len(cells))
        for i, k in asked.items():
            weight[np.searchsorted(cells, i)] = k
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * weight,
                integrality=self.whole[cells].astype(int),
                bounds=Bounds(self.bounds[cells, 0], self.bounds[cells, 1]),
                constraints=constraint,
            )
            if found.x is None:
                assert found.status in (3, 4), found.message  # without bound; nothing else may happen
                ends.append(-sign * np.inf)
            else:
                ends.append(sign * float(round(found.fun, 6)))
        return sure + ends[0], sure + ends[1]
