"""The territories of a département from the national reference: Insee's code officiel géographique.

A folder holds the files as Insee publishes them (``v_commune_2024.csv``, packed or not): communes,
arrondissements, départements, régions and movements of communes.
"""

import csv
import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from odds_pipeline.onboarding.period import CannotPropose

Row = dict[str, str]
PAGE = "https://www.insee.fr/fr/information/2560452"
MERGERS = {"31", "32", "33", "34"}
SPLIT = "21"
FIRST = "2012-01-01"
"""Movements before are left out: no contract reads communes of an earlier geography."""
OF = {"0": "de ", "1": "d’", "2": "du ", "3": "de la ", "4": "des ", "5": "de l’", "6": "des "}
"""What stands before a name after a noun, by its ``TNCC``."""
TERRITORY = "code label level ept arrondissement departement valid_from valid_to aliases".split()
EVENT = ["effective", "kind", "source_code", "target_code", "reference"]


@dataclass(frozen=True)
class Reference:
    """The files of one year, and the département that is taken of them."""

    folder: Path
    departement: str

    def rows(self, name: str) -> list[Row]:
        """One of the files; :class:`CannotPropose` says which one lacks and where it is got."""
        found = sorted(
            [*self.folder.glob(f"v_{name}_20*.csv"), *self.folder.glob(f"v_{name}_20*.csv.gz")]
        )
        if not found:
            raise CannotPropose(
                f"{self.folder}: no file v_{name}_<year>.csv; Insee publishes it at {PAGE}"
            )
        opened = gzip.open if found[-1].suffix == ".gz" else open
        with opened(found[-1], "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @cached_property
    def own(self) -> Row:
        """The row of the département."""
        for row in self.rows("departement"):
            if row["DEP"] == self.departement:
                return row
        raise CannotPropose(f"no département {self.departement!r} in the reference")

    @property
    def label(self) -> str:
        return self.own["LIBELLE"]

    @property
    def of_label(self) -> str:
        """The label after a noun: « du Nord »."""
        return _of(self.own)

    @cached_property
    def communes(self) -> list[Row]:
        return [
            r for r in self.rows("commune") if r["TYPECOM"] == "COM" and r["DEP"] == self.departement
        ]

    @cached_property
    def movements(self) -> list[Row]:
        """Mergers since :data:`FIRST`; a commune that was split is no sum of what it became."""
        ours = [
            r
            for r in self.rows("mvt_commune")
            if r["DATE_EFF"] > FIRST and r["COM_AP"].startswith(self.departement)
        ]
        if split := [r for r in ours if r["MOD"] == SPLIT]:
            code, day = split[0]["COM_AP"], split[0]["DATE_EFF"]
            raise CannotPropose(f"{code} was re-established on {day}: a split is not supported")
        communes = ("COM", "COM")
        return [
            r for r in ours if r["MOD"] in MERGERS and (r["TYPECOM_AV"], r["TYPECOM_AP"]) == communes
        ]

    def territories(self) -> list[list[str]]:
        """Rows of ``territories.csv``: communes of now and of before, and the wholes they lie in."""
        dep, now = self.departement, {r["COM"]: r for r in self.communes}
        rows = [self._commune(c, r["LIBELLE"], r["ARR"]) for c, r in now.items()]
        for r in self.movements:
            if r["COM_AV"] != r["COM_AP"]:
                arrondissement = now[r["COM_AP"]]["ARR"] if r["COM_AP"] in now else ""
                rows.append(self._commune(r["COM_AV"], r["LIBELLE_AV"], arrondissement, r["DATE_EFF"]))
        rows += [
            [r["ARR"], f"Arrondissement {_of(r)}", "arrondissement", "", "", dep, *_EVER]
            for r in self.rows("arrondissement")
            if r["DEP"] == dep
        ]
        (region,) = (r for r in self.rows("region") if r["REG"] == self.own["REG"])
        rows.append([dep, self.label, "departement", "", "", "", *_EVER])
        return [*rows, [region["REG"], region["LIBELLE"], "region", "", "", "", *_EVER]]

    def _commune(self, code: str, label: str, arrondissement: str, until: str = "") -> list[str]:
        return [code, label, "commune", "", arrondissement, self.departement, _SINCE, until, ""]

    def events(self) -> list[list[str]]:
        """Rows of ``territory_events.csv``."""
        return [
            [r["DATE_EFF"], "merger", r["COM_AV"], r["COM_AP"], "Code officiel géographique de l’Insee"]
            for r in self.movements
        ]


def _of(row: Row) -> str:
    """The name after a noun."""
    return OF.get(row["TNCC"], "de ") + row["NCCENR"]


_SINCE = "1968-01-01"
_EVER = [_SINCE, "", ""]
