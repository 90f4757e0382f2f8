"""The current release, as each set of rights may see it, swapped whole when a new one is published.

A :class:`View` is an in-memory DuckDB over one class file, holding what the reader may see and nothing
else: no page filters by itself. A request keeps its view to its end; an old one closes with its last.
"""

import json
import logging
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from odds_pipeline.declarations.observatory import Observatory
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.geography.territories import plain
from odds_pipeline.release.formats import completed, read_inputs
from odds_pipeline.release.published import Absent, current_number, numbers, open_release, release_path
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import quoted

LOG = logging.getLogger("odds.extranet")
EARLIER = 8
"""Views of earlier releases kept ready: they are read by link, seldom."""
VIEWS = 64
LISTS = ("breaks", "notes", "corrections")
"""Columns of the definitions that hold lists, as JSON; older releases lack some."""
"""Sets of rights kept ready; some twenty organisations share fewer than ten."""

Row = dict[str, Any]
Made = TypeVar("Made")


class Unknown(LookupError):
    """What is asked for does not exist for this reader."""


@dataclass(frozen=True)
class Place:
    """A territory; ``geographies`` are those it exists in, the latest last.

    ``communes``: those that a neighbourhood lies in, which its ``label`` says after its ``name``.
    """

    code: str
    name: str
    label: str
    level: str
    ept: str
    epci: str
    departement: str
    geographies: tuple[int, ...]
    communes: tuple[str, ...]

    @property
    def group(self) -> str:
        """The intercommunality of a commune: its EPT, else its EPCI."""
        return self.ept or self.epci


_VIEWS = (
    "CREATE TABLE inputs AS FROM inputs_read SEMI JOIN indicator_visible USING (indicator)",
    # What only weighs a mean may be of a class that its indicator does not need.
    "CREATE VIEW observations AS FROM release.observations "
    "WHERE variable IN (SELECT variable FROM inputs WHERE role <> 'weight')",
    "CREATE TABLE latest AS FROM indicator_values QUALIFY row_number() OVER ("
    "PARTITION BY territory, level, indicator ORDER BY month DESC, geography DESC) = 1 "
    "ORDER BY territory, indicator",
)


class View:
    """One release through one reader's rights, without the indicators ``withheld``.

    ``pages`` caches what was made from it; ``known_values`` has those of the communes by indicator,
    month and geography, as they were asked for.
    """

    def __init__(
        self,
        home: Home,
        number: int,
        rights: Rights,
        workshop: Path,
        observatory: Observatory,
        withheld: Set[str] = frozenset(),
    ) -> None:
        path = release_path(home, number) / f"{rights.source}.duckdb"
        if not path.exists():
            raise Unknown(f"{path} is missing")
        self.rights, self.number, self.observatory = rights, number, observatory
        # Goes with the view; a request that still sends one of its files still holds the view.
        self._folder = tempfile.TemporaryDirectory(dir=workshop)
        self.workshop = Path(self._folder.name)
        self.pages: PageCache = PageCache()
        # A processor a request, requests side by side. With more, DuckDB 1.5.5 sometimes fails on a
        # window over few rows, and refuses every query from then on (duckdb/duckdb#25713).
        self.connection = connect(threads="1")
        run = self.connection.execute
        run(f"SET allowed_directories = [{quoted(self.workshop)}]")
        run(f"ATTACH {quoted(path)} AS release (READ_ONLY)")
        known = run("SELECT indicator, access, partner_access FROM release.definitions").fetchall()
        visible = [
            name
            for name, access, needs in known
            if rights.allows(access, needs) and name not in withheld
        ]
        run("CREATE TABLE indicator_visible AS SELECT unnest(?::VARCHAR[]) AS indicator", [visible])
        sheets = completed(self.connection, "release", "definitions")
        run(f"CREATE TABLE definitions AS FROM ({sheets}) SEMI JOIN indicator_visible USING (indicator)")
        run(f"CREATE VIEW deliveries AS {completed(self.connection, 'release', 'deliveries')}")
        run(f"CREATE VIEW territories AS {completed(self.connection, 'release', 'territories')}")
        own = completed(self.connection, "release", "indicator_values")
        run(
            f"CREATE VIEW indicator_values AS FROM ({own}) SEMI JOIN indicator_visible USING (indicator)"
        )
        self.connection.register("inputs_read", read_inputs(self.connection, "release"))
        for statement in _VIEWS:
            run(statement)
        self.connection.unregister("inputs_read")
        run("SET enable_external_access = false")
        run("SET lock_configuration = true")
        self.about: Row = self.one("FROM release.about") or {}
        self.simulated = bool(self.about["simulated"])
        self.definitions: dict[str, Row] = {
            row["indicator"]: {**row, **{name: json.loads(row.get(name) or "[]") for name in LISTS}}
            for row in self.rows("FROM definitions ORDER BY theme, family, label")
        }
        places = self.rows(
            "SELECT territory AS code, arg_max(label, geography) AS name, "
            "arg_max(level, geography) AS level, arg_max(ept, geography) AS ept, "
            "arg_max(epci, geography) AS epci, arg_max(departement, geography) AS departement, "
            "list_sort(list(geography)) AS geographies, arg_max(communes, geography) AS communes "
            "FROM territories GROUP BY territory"
        )
        names = {p["code"]: p["name"] for p in places}
        for p in places:
            p["geographies"], p["communes"] = tuple(p["geographies"]), tuple(p["communes"].split())
            within = ", ".join(names[code] for code in p["communes"])
            p["label"] = f"{p['name']} ({within})" if within else p["name"]
        self.places: dict[str, Place] = {
            p["code"]: Place(**p) for p in sorted(places, key=lambda p: plain(p["label"]))
        }
        valued = self.rows("SELECT DISTINCT indicator FROM latest WHERE value IS NOT NULL")
        self.valued: frozenset[str] = frozenset(row["indicator"] for row in valued)
        # A whole is what it was when communes of it merge, though an index over its communes is not.
        changed = self.rows(
            "SELECT DISTINCT territory FROM release.converted_values LEFT JOIN definitions "
            "USING (indicator) WHERE level = 'commune' OR adds_up = 'sum'"
        )
        self.changed: frozenset[str] = frozenset(row["territory"] for row in changed)
        self.known_values: dict[tuple[str, str, int], list[float]] = {}
        self.geography: int = max((g for p in self.places.values() for g in p.geographies), default=0)

    @property
    def territories(self) -> list[Place]:
        """The places that lists offer: neighbourhoods are read from the page of their commune."""
        return [place for place in self.places.values() if not place.communes]

    def neighbourhoods(self, commune: str) -> dict[str, list[Place]]:
        """The neighbourhoods of a commune of which something is known, by level."""
        told = self.once("told", lambda: frozenset(self._told()), 50_000)
        found: dict[str, list[Place]] = {}
        for place in self.places.values():
            if commune in place.communes and place.code in told:
                found.setdefault(place.level, []).append(place)
        return found

    def _told(self) -> list[str]:
        return [
            r["territory"]
            for r in self.rows("SELECT DISTINCT territory FROM latest WHERE value IS NOT NULL")
        ]

    def rows(self, sql: str, parameters: Sequence[Any] | Row | None = None) -> list[Row]:
        """Rows as dictionaries. Each call has its own cursor, so that threads do not meet."""
        cursor = self.connection.cursor()
        cursor.execute(sql, parameters)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, parameters: Sequence[Any] | Row | None = None) -> Row | None:
        """The first row, if any."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def once(self, key: Any, make: Callable[[], Made], size: int = 5_000) -> Made:
        """What ``make`` gives, made once while it is kept: a release never changes."""
        kept: Made | None = self.pages.get(key)
        if kept is None:
            kept = make()
            self.pages.put(key, kept, size)
        return kept

    def indicator(self, name: str) -> Row:
        """The definition sheet of a visible indicator; :class:`Unknown` otherwise."""
        if name not in self.definitions:
            raise Unknown(name)
        return self.definitions[name]

    def place(self, code: str) -> Place:
        """A territory; :class:`Unknown` otherwise."""
        if code not in self.places:
            raise Unknown(code)
        return self.places[code]


class PageCache:
    """Bytes made from a view, the least recently used forgotten beyond ``limit`` bytes."""

    def __init__(self, limit: int = 64_000_000) -> None:
        self._limit, self._size = limit, 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Any, value: Any, size: int) -> None:
        with self._lock:
            if key in self._kept:
                self._size -= self._kept.pop(key)[1]
            self._kept[key] = (value, size)
            self._size += size
            while self._size > self._limit and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1][1]


class Serving:
    """Views of the current release by rights. A broken new release leaves the last good one on show."""

    def __init__(
        self, home: Home, workshop: Path, observatory: Observatory, prepare: Callable[[View], None]
    ) -> None:
        self.home, self.workshop, self.observatory = home, workshop, observatory
        self.prepare = prepare
        self._views: OrderedDict[Rights, View] = OrderedDict()
        self._lock = threading.Lock()
        self._broken: int | None = None
        self._earlier: OrderedDict[tuple[Rights, int, int], View] = OrderedDict()

    def number(self) -> int | None:
        """Number that the pointer names; ``None`` when it is missing or says nothing readable."""
        try:
            return current_number(self.home)
        except (OSError, ValueError, Absent):
            return None

    def ready(self, rights: Rights) -> View | None:
        """The view to serve without any work; ``None`` when one must be made first."""
        view, number = self._views.get(rights), self.number()
        if view is not None and number in (view.number, None, self._broken):
            return view
        return None

    def view(self, rights: Rights) -> View:
        """The view of the current release. While one thread makes it, others get the former one."""
        former = self._views.get(rights)
        if not self._lock.acquire(blocking=former is None):
            assert former is not None
            return former
        try:
            ready = self.ready(rights)
            return ready or self._make(rights, former)
        finally:
            self._lock.release()

    def _open(self, number: int, rights: Rights) -> View | None:
        """A view of that release, or ``None`` when it is damaged."""
        try:
            view = View(self.home, number, rights, self.workshop, self.observatory)
            self.prepare(view)
        except Exception:
            LOG.exception("release %s cannot be served: `odds verify` says what is damaged", number)
            if number == self.number():
                self._broken = number
            return None
        return view

    def _make(self, rights: Rights, former: View | None) -> View:
        number = self.number()
        view = self._open(number, rights) if number is not None else None
        if view is None and former is not None:
            LOG.error("release %s stays", former.number)
            return former
        for earlier in reversed(numbers(self.home)):
            if view is None and number is not None and earlier < number:
                view = self._open(earlier, rights)
        if view is None:
            raise Unknown("no release can be shown")
        self._views[rights] = view
        self._views.move_to_end(rights)
        while len(self._views) > VIEWS:
            self._views.popitem(last=False)
        return view

    def earlier(self, rights: Rights, number: int) -> View:
        """What an earlier release said, less what its reader may no longer see today.

        :class:`Unknown` when there is no such release, or none that this site can still read.
        """
        current = self.view(rights)
        if number == current.number:
            return current
        if number > current.number or number not in numbers(self.home):
            raise Unknown(str(number))
        key = (rights, number, current.number)
        with self._lock:
            if key not in self._earlier:
                self._earlier[key] = self._make_earlier(current, rights, number)
            self._earlier.move_to_end(key)
            while len(self._earlier) > EARLIER:
                self._earlier.popitem(last=False)
            return self._earlier[key]

    def _make_earlier(self, current: View, rights: Rights, number: int) -> View:
        with open_release(self.home, current.number) as widest:
            declared = {n for (n,) in widest.execute("SELECT indicator FROM definitions").fetchall()}
        try:
            view = View(
                self.home,
                number,
                rights,
                self.workshop,
                self.observatory,
                declared - current.definitions.keys(),
            )
            self.prepare(view)
        except (duckdb.Error, KeyError) as error:
            LOG.warning("release %s is of a form that pages no longer read: %s", number, error)
            raise Unknown(str(number)) from error
        return view
