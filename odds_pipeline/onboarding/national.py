"""The territories of départements from the national reference: Insee's code officiel géographique.

A folder holds the files as Insee publishes them (``v_commune_2024.csv``, packed or not): communes,
arrondissements, départements, régions and movements of communes. Beside them may stand the DGCL's list
of EPCI with their members (``epcicom2024.xlsx``), without which communes have no intercommunality, and
Insee's table of their zones (``table-appartenance-geo-communes-2024.xlsx``), without which there are no
employment zones.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from odds_pipeline.onboarding.period import CannotPropose

Row = dict[str, str]
PAGE = "https://www.insee.fr/fr/information/2560452"
DGCL = "https://www.banatic.interieur.gouv.fr"
EPCI = ("siren", "raison_sociale", "nb_membres", "insee")
"""Columns that are read in its list of EPCI."""
MERGERS = {"31", "32", "33", "34"}
SPLIT = "21"
FIRST = "2012-01-01"
"""Movements before are left out: no contract reads communes of an earlier geography."""
OF = {"0": "de ", "1": "d’", "2": "du ", "3": "de la ", "4": "des ", "5": "de l’", "6": "des "}
"""What stands before a name after a noun, by its ``TNCC``."""
TERRITORY = (
    "code label level ept epci arrondissement departement region valid_from valid_to aliases".split()
)
BEYOND = ["territory", "commune", "until"]
EVENT = ["effective", "kind", "source_code", "target_code", "reference"]


@dataclass(frozen=True)
class Reference:
    """The files of one year, and the départements that are taken of them."""

    folder: Path
    departements: tuple[str, ...]

    def rows(self, name: str) -> list[Row]:
        """One of the files; :class:`CannotPropose` says which one lacks and where it is got."""
        newest = self._newest(name)
        opened = gzip.open if newest.suffix == ".gz" else open
        with opened(newest, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _newest(self, name: str) -> Path:
        packed = (f"v_{name}_20*.csv", f"v_{name}_20*.csv.gz")
        if found := sorted(path for pattern in packed for path in self.folder.glob(pattern)):
            return found[-1]
        raise CannotPropose(f"{self.folder}: no file v_{name}_<year>.csv; Insee publishes it at {PAGE}")

    @property
    def year(self) -> int:
        """Of its communes: those merged since are not known, and files without them are refused."""
        return int(self._newest("commune").name.removeprefix("v_commune_")[:4])

    @classmethod
    def of(cls, folder: Path, codes: Sequence[str]) -> "Reference":
        """Of départements, or of all those of a région: ``r11``."""
        found: list[str] = []
        for code in codes:
            rows = cls(folder, ()).rows("departement") if code.startswith("r") else []
            own = [r["DEP"] for r in rows if f"r{r['REG']}" == code] if rows else [code]
            if not own:
                raise CannotPropose(f"no région {code[1:]!r} in the reference")
            found += own
        return cls(folder, tuple(dict.fromkeys(found)))

    @cached_property
    def own(self) -> list[Row]:
        """The rows of the départements."""
        rows = {r["DEP"]: r for r in self.rows("departement")}
        if unknown := [code for code in self.departements if code not in rows]:
            raise CannotPropose(f"no département {unknown[0]!r} in the reference")
        return [rows[code] for code in self.departements]

    @cached_property
    def regions(self) -> list[Row]:
        """The rows of their régions."""
        codes = {r["REG"] for r in self.own}
        return [r for r in self.rows("region") if r["REG"] in codes]

    @cached_property
    def whole(self) -> Row | None:
        """The région that they are all départements of, more than one."""
        if len(self.regions) > 1 or len(self.own) == 1:
            return None
        (region,) = self.regions
        every = {r["DEP"] for r in self.rows("departement") if r["REG"] == region["REG"]}
        return region if every == set(self.departements) else None

    @property
    def named(self) -> list[Row]:
        """What the perimeter is called by: its région, or its départements."""
        return [self.whole] if self.whole else self.own

    @property
    def id(self) -> str:
        """``59``, ``59_62``, ``r11``."""
        return f"r{self.whole['REG']}" if self.whole else "_".join(self.departements).lower()

    @property
    def label(self) -> str:
        return typographic(" et ".join(r["LIBELLE"] for r in self.named))

    @property
    def region_label(self) -> str:
        return typographic(" et ".join(r["LIBELLE"] for r in self.regions))

    @property
    def of_label(self) -> str:
        """The label after a noun: « du Nord »."""
        return typographic(" et ".join(map(_of, self.named)))

    @cached_property
    def communes(self) -> list[Row]:
        ours = set(self.departements)
        return [r for r in self.rows("commune") if r["TYPECOM"] == "COM" and r["DEP"] in ours]

    @cached_property
    def movements(self) -> list[Row]:
        """Mergers since :data:`FIRST`; a commune that was split is no sum of what it became."""
        ours = [
            r
            for r in self.rows("mvt_commune")
            if r["DATE_EFF"] > FIRST and r["COM_AP"].startswith(self.departements)
        ]
        if split := [r for r in ours if r["MOD"] == SPLIT]:
            code, day = split[0]["COM_AP"], split[0]["DATE_EFF"]
            raise CannotPropose(f"{code} was re-established on {day}: a split is not supported")
        communes = ("COM", "COM")
        return [
            r for r in ours if r["MOD"] in MERGERS and (r["TYPECOM_AV"], r["TYPECOM_AP"]) == communes
        ]

    @cached_property
    def members(self) -> list[Row]:
        """Rows of the list of EPCI for communes of the perimeter; none where there is no list."""
        if not (found := sorted(self.folder.glob("epcicom20*.xlsx"))):
            return []
        from python_calamine import CalamineWorkbook

        head, *rows = CalamineWorkbook.from_path(found[-1]).get_sheet_by_index(0).to_python()
        named = [dict(zip(map(str, head), map(_text, row), strict=False)) for row in rows]
        if lacking := [name for name in EPCI if name not in named[0]]:
            raise CannotPropose(
                f"{found[-1]}: no column {', '.join(lacking)}; the DGCL publishes it at {DGCL}"
            )
        ours = {r["COM"] for r in self.communes}
        return [row for row in named if row["insee"] in ours]

    @cached_property
    def groups(self) -> dict[str, Row]:
        """The EPCI, by SIREN, whose communes are all in the perimeter: they are the sum of them."""
        inside = Counter(row["siren"] for row in self.members)
        return {r["siren"]: r for r in self.members if inside[r["siren"]] == int(r["nb_membres"])}

    @property
    def astride(self) -> list[str]:
        """What to say of the EPCI that go beyond the perimeter."""
        inside = Counter(row["siren"] for row in self.members)
        return sorted(
            {
                f"{r['raison_sociale']} ({r['siren']}): {inside[r['siren']]} of its {r['nb_membres']} "
                "communes are here, and no sum of them is published"
                for r in self.members
                if r["siren"] not in self.groups
            }
        )

    @cached_property
    def zones(self) -> dict[str, str]:
        """Employment zones that communes of the perimeter lie in, by code; none where there is no table.

        Most go beyond it: they are known by the rows that files have of them, as sums of nothing here.
        """
        if not (found := sorted(self.folder.glob("table-appartenance-geo-communes-*.xlsx"))):
            return {}
        ours = {r["COM"] for r in self.communes}
        inside = {r["ZE2020"] for r in _sheet(found[-1], "COM", "CODGEO") if r["CODGEO"] in ours}
        named = _sheet(found[-1], "Zones_supra_communales", "NIVGEO")
        labels = {r["CODGEO"]: r["LIBGEO"] for r in named if r["NIVGEO"] == "ZE2020"}
        return {code: labels[code] for code in sorted(inside & labels.keys())}

    def territories(self) -> list[list[str]]:
        """Rows of ``territories.csv``: communes of now and of before, and the wholes they lie in."""
        now = {r["COM"]: r for r in self.communes}
        rows = [self._commune(c, r["LIBELLE"], r) for c, r in now.items()]
        for r in self.movements:
            if r["COM_AV"] != r["COM_AP"] and (today := now.get(self._now(r["COM_AV"]))):
                rows.append(self._commune(r["COM_AV"], r["LIBELLE_AV"], today, r["DATE_EFF"]))
        rows += [
            [r["ARR"], f"Arrondissement {_of(r)}", "arrondissement", "", "", "", r["DEP"], "", *_EVER]
            for r in self.rows("arrondissement")
            if r["DEP"] in self.departements
        ]
        rows += [
            [siren, r["raison_sociale"], "epci", "", "", "", self._departement_of(siren), "", *_EVER]
            for siren, r in sorted(self.groups.items())
        ]
        rows += [
            [code, f"{label} (zone d’emploi)", "zone_emploi", *[""] * 5, *_EVER]
            for code, label in self.zones.items()
        ]
        above = self.whole["REG"] if self.whole else ""
        rows += [
            [r["DEP"], r["LIBELLE"], "departement", "", "", "", "", above, *_EVER] for r in self.own
        ]
        rows += [[r["REG"], r["LIBELLE"], "region", "", "", "", "", "", *_EVER] for r in self.regions]
        return rows

    def _commune(self, code: str, label: str, today: Row, until: str = "") -> list[str]:
        group, above = self._group_of.get(today["COM"], ""), self.whole["REG"] if self.whole else ""
        within = ["", group, today["ARR"], today["DEP"], above]
        return [code, label, "commune", *within, _SINCE, until, ""]

    def _departement_of(self, siren: str) -> str:
        """The one département of an EPCI, or nothing."""
        places = {r["COM"]: r["DEP"] for r in self.communes}
        found = {places[r["insee"]] for r in self.members if r["siren"] == siren}
        return found.pop() if len(found) == 1 else ""

    def _now(self, code: str) -> str:
        """The commune of today that one of before is in."""
        return _last(code, self._into)

    @cached_property
    def _into(self) -> dict[str, str]:
        return {r["COM_AV"]: r["COM_AP"] for r in self.movements if r["COM_AV"] != r["COM_AP"]}

    @cached_property
    def _group_of(self) -> dict[str, str]:
        """The EPCI of each commune, where it is whole."""
        return {r["insee"]: r["siren"] for r in self.members if r["siren"] in self.groups}

    def beyond(self) -> list[list[str]]:
        """Rows of ``communes_beyond.csv``: communes of now and of before of régions partly here."""
        if self.whole:
            return []
        codes = {r["REG"] for r in self.regions}
        every = [r for r in self.rows("commune") if r["TYPECOM"] == "COM" and r["REG"] in codes]
        region = {r["COM"]: r["REG"] for r in every}
        into = {
            r["COM_AV"]: (r["COM_AP"], r["DATE_EFF"])
            for r in self.rows("mvt_commune")
            if r["MOD"] in MERGERS
            and (r["TYPECOM_AV"], r["TYPECOM_AP"]) == ("COM", "COM")
            and r["DATE_EFF"] > FIRST
            and r["COM_AV"] != r["COM_AP"]
            and r["COM_AV"] not in region
        }
        targets = {commune: target for commune, (target, _) in into.items()}
        former = [
            [region[today], commune, day]
            for commune, (_, day) in into.items()
            if (today := _last(commune, targets)) in region
        ]
        return sorted([*([code, commune, ""] for commune, code in region.items()), *former])

    def events(self) -> list[list[str]]:
        """Rows of ``territory_events.csv``."""
        return [
            [r["DATE_EFF"], "merger", r["COM_AV"], r["COM_AP"], "Code officiel géographique de l’Insee"]
            for r in self.movements
        ]


def _last(code: str, into: dict[str, str]) -> str:
    """What a commune is in after all its mergers."""
    seen = {code}
    while (code := into.get(code, code)) not in seen:
        seen.add(code)
    return code


def _sheet(path: Path, name: str, first: str) -> list[Row]:
    """The rows of a sheet under the line of column names that holds ``first``."""
    from python_calamine import CalamineWorkbook

    rows = iter(CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python())
    head = next(texts for row in rows if first in (texts := list(map(_text, row))))
    return [dict(zip(head, map(_text, row), strict=True)) for row in rows]


def _text(cell: object) -> str:
    """A cell as text: codes and counts are numbers there."""
    return f"{cell:.0f}" if isinstance(cell, float) else str(cell)


def typographic(name: str) -> str:
    """« Val-d’Oise »: with the apostrophe of print, which ends no string of a declaration."""
    return name.replace("'", "’")


def _of(row: Row) -> str:
    """The name after a noun."""
    return OF.get(row["TNCC"], "de ") + row["NCCENR"]


_SINCE = "1968-01-01"
_EVER = [_SINCE, "", ""]
