"""The territories that a row of a file speaks of, from what its key columns say."""

from functools import cached_property
from os.path import commonprefix

from odds_pipeline.declarations.feed import NEIGHBOURHOODS, Level, TerritoryKey
from odds_pipeline.declarations.project import Project
from odds_pipeline.geography.territories import Territories, plain
from odds_pipeline.reception.codes import full_length, is_code
from odds_pipeline.reception.matching import Match, territory_text, text
from odds_pipeline.reception.nomenclatures import nomenclature
from odds_pipeline.reception.tables import Cell
from odds_pipeline.reception.totals import TOTAL, says_total, wholes


class Places:
    """Territory codes by what is written: ``shown`` is the key of each row below the header."""

    def __init__(self, project: Project, match: Match) -> None:
        self.match = match
        self.territories: Territories = project.territories_of(match.entry)
        key = match.format.territory
        self.level: Level = match.level
        self.finer = nomenclature(project.root, key.nomenclature) if key.nomenclature else None
        # A code that starts like those of the table but is not in it is a fault, not an outsider.
        start = commonprefix(list(self.finer or ())) or " "  # noqa: RUF071  # characters are what is meant
        self._finer_starts = (start, *self.territories.departements)
        self.shown = [
            territory_text(match, row, key) for row in match.table.rows[match.header_row + 1 :]
        ]
        by_code = key.by == "code" and not key.fixed
        self.length = full_length(self.shown, self.territories.departements) if by_code else None
        self.wholes = wholes(self.territories)
        self.communes = {plain(t.label) for t in self.territories.all if t.level == "commune"}
        columns = match.entry.feed.columns_of(match.format).values()
        # A territory has a row for each period or kind of figure, and not one row.
        self.long = match.format.period.column is not None or any(column.where for column in columns)
        self._wholes_read: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self._starts: dict[str, tuple[str, ...]] = {}

    def read(self, row: list[Cell], shown: str, aside: bool) -> tuple[str, list[str]]:
        """The level and the territory codes of a row; no code when it is outside the perimeter."""
        key = self._key_of(row)
        if key is None:
            return self.level, []
        if key is not self.match.format.territory:
            level = str(key.level)
            return level, self._codes_of(territory_text(self.match, row, key), key, level)
        if aside:
            return TOTAL, [shown]
        return self.level, self._codes_of(shown, key, self.level)

    def _key_of(self, row: list[Cell]) -> TerritoryKey | None:
        """The territory key that a row is read by; ``None`` for a row that no key is for."""
        fmt = self.match.format
        wider = next((key for key in fmt.wider if self.match.meets(row, key.where)), None)
        if wider is None:
            return fmt.territory if self.match.meets(row, fmt.territory.where) else None
        if wider.fixed in self._wholes_read:
            return None  # the same total again, under another table of the sheet
        if not self.long:
            self._wholes_read.add(wider.fixed or "")
        return wider

    def _codes_of(self, shown: str, key: TerritoryKey, level: str) -> list[str]:
        if key.fixed:
            return [key.fixed]
        if level == self.level and self.length == len(shown) + 1:
            shown = f"0{shown}"
        if self.finer is not None:
            outside = not shown.startswith(self._finer_starts)
            return [] if outside else self.finer.get(shown, [shown])
        if key.by == "label":
            return [self.territories.by_label.get(plain(shown), shown)]
        if level == "france":
            return [self.territories.france_codes.get(shown.upper(), shown)]
        if level != "commune":
            code = self.known(level).get(shown.lstrip("0"))
            return [code] if code else [] if key.perimeter_only else [shown]
        code = shown[: key.prefix] if key.prefix else shown
        inside = code.startswith(self.territories.departements)
        return [] if key.perimeter_only and len(code) == 5 and not inside and is_code(code) else [code]

    def known(self, level: str) -> dict[str, str]:
        """Codes of a level by what a spreadsheet leaves of them, without the zeros they begin with."""
        if level not in self._codes:
            own = (t.code for t in self.territories.all if t.level == level)
            self._codes[level] = {code.lstrip("0"): code for code in own}
        return self._codes[level]

    def is_near(self, shown: str, level: str) -> bool:
        """Whether it begins as a neighbourhood of ours: by the same commune, or the same département."""
        if level not in NEIGHBOURHOODS:
            return False
        if level not in self._starts:
            communes = {code[:5] for code in self.known(level)}
            self._starts[level] = (*self.territories.departements, *communes)
        return shown.startswith(self._starts[level])

    def is_aside(self, shown: str) -> bool:
        """Whether it is no territory's: of a note, or of a total to be compared with the sum."""
        key = self.match.format.territory
        if self.level != "commune" or self.finer is not None or key.fixed:
            return False
        if key.by == "label":
            return plain(shown) not in self.territories.by_label and (
                not shown or says_total(shown) or plain(shown) in self.wholes
            )
        return not is_code(shown) or plain(shown) in self.wholes

    def commune_named(self, row: list[Cell]) -> str | None:
        """The cell of a row that is the name of a commune, if any."""
        return next((shown for cell in row if plain(shown := text(cell)) in self.communes), None)

    def wider(self, level: str, codes: list[str]) -> list[str]:
        """The territories of that level that a row of ``codes`` counts in."""
        known = self._of_level.get(level, [])
        if level == "france":
            return known[:1]
        return [whole for whole in known if any(whole in self._parents.get(code, ()) for code in codes)]

    @cached_property
    def _of_level(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        for t in self.territories.all:
            found.setdefault(t.level, {})[t.code] = None
        return {level: list(codes) for level, codes in found.items()}

    @cached_property
    def _parents(self) -> dict[str, set[str]]:
        """Of each code, in whatever geography, what it lies in: asked of each row of long files."""
        found: dict[str, set[str]] = {}
        for t in self.territories.all:
            found.setdefault(t.code, set()).update(t.parents)
        return found
