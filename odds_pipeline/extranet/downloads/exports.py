"""Tables to files: CSV for French spreadsheets and for machines, XLSX, Parquet.

A table is a query over a view, so a file holds what its reader may see. Whole tables are written once a
view and go with it.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odds_pipeline.extranet.downloads.xlsx import write_xlsx
from odds_pipeline.extranet.reading.queries import COLUMNS
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.french import LEVELS
from odds_pipeline.storage.sql import quoted

FORMATS = {
    "csv": ("text/csv; charset=utf-8", "CSV pour tableur (point-virgule, virgule décimale)"),
    "machine.csv": ("text/csv; charset=utf-8", "CSV pour programmes (virgule, point décimal)"),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Classeur XLSX",
    ),
    "parquet": ("application/vnd.apache.parquet", "Parquet"),
}
_VALUES = f"""
SELECT v.indicator, d.label AS indicator_label, v.territory, t.label AS territory_label, v.level,
       v.geography, v.month, v.value, d.unit, v.obs_status, v.conf_status,
       v.numerator, v.denominator, v.departement_value, v.france_value, v.difference, v.rank, v.ranked,
       v.quartile, v.change_1y, v.change_5y, v.ci_low, v.ci_high, v.oldest_input, v.reserve,
       d.theme, a.number AS release, a.simulated
FROM (SELECT {COLUMNS} FROM indicator_values) v
JOIN definitions d USING (indicator)
JOIN release.territories t ON t.territory = v.territory AND t.geography = v.geography
CROSS JOIN release.about a
"""
_ORDER = " ORDER BY v.indicator, v.territory, v.month, v.geography"

VALUES: dict[str, tuple[str, str]] = {
    "indicator": ("string", "Identifiant de l’indicateur"),
    "indicator_label": ("string", "Libellé de l’indicateur"),
    "territory": ("string", "Code du territoire (Insee, SIREN de l’EPT ou EPCI, département, FR, FM)"),
    "territory_label": ("string", "Nom du territoire"),
    "level": ("string", f"Niveau : {', '.join(LEVELS)}"),
    "geography": ("integer", "Géographie : année du découpage communal"),
    "month": ("yearmonth", "Mois que la valeur décrit, AAAA-MM"),
    "value": ("number", "Valeur ; vide quand elle n’est pas diffusée, voir obs_status et conf_status"),
    "unit": ("string", "Unité"),
    "obs_status": ("string", "Statut SDMX : A normal, P provisoire, E estimé, B rupture, O manquant, "
                   "L non disponible, M sans objet, Q secret"),
    "conf_status": ("string", "Confidentialité SDMX : F libre, C secret primaire, D secret secondaire, "
                    "N non diffusé, rapporté à un effectif trop petit"),
    "numerator": ("number", "Numérateur"),
    "denominator": ("number", "Dénominateur"),
    "departement_value": ("number", "Valeur du département, même mois"),
    "france_value": ("number", "Valeur de la France, même mois"),
    "difference": ("number", "Écart au département"),
    "rank": ("integer", "Rang parmi les communes classées"),
    "ranked": ("integer", "Nombre de communes classées"),
    "quartile": ("integer", "Quartile du rang, 1 à 4"),
    "change_1y": ("number", "Évolution sur un an"),
    "change_5y": ("number", "Évolution sur cinq ans"),
    "ci_low": ("number", "Borne basse de l’intervalle de confiance à 95 %"),
    "ci_high": ("number", "Borne haute de l’intervalle de confiance à 95 %"),
    "oldest_input": ("yearmonth", "Mois de la plus ancienne donnée employée"),
    "reserve": ("string", "Réserve : règle écartée par une personne, et pourquoi"),
    "theme": ("string", "Thème"),
    "release": ("integer", "Numéro de l’édition"),
    "simulated": ("boolean", "Vrai : données simulées, à ne pas utiliser"),
}  # fmt: skip

DEFINITIONS: dict[str, tuple[str, str]] = {
    "indicator": ("string", "Identifiant"),
    "theme": ("string", "Thème"),
    "family": ("string", "Famille"),
    "label": ("string", "Libellé"),
    "short_label": ("string", "Libellé court"),
    "definition": ("string", "Définition"),
    "unit": ("string", "Unité"),
    "decimals": ("integer", "Décimales à montrer"),
    "formula": ("string", "Formule sur les variables livrées"),
    "numerator": ("string", "Numérateur, en mots"),
    "denominator": ("string", "Dénominateur, en mots"),
    "population": ("string", "Population concernée"),
    "direction": ("string", "Sens : higher_is_better, lower_is_better, neutral"),
    "limits": ("string", "Limites"),
    "source": ("string", "Source"),
    "licence": ("string", "Licence"),
    "owner": ("string", "Responsable de la définition"),
}
TERRITORIES: dict[str, tuple[str, str]] = {
    "territory": ("string", "Code"),
    "geography": ("integer", "Géographie"),
    "label": ("string", "Nom"),
    "level": ("string", "Niveau"),
    "ept": ("string", "Code de l’établissement public territorial"),
    "epci": ("string", "Code de l’intercommunalité, hors des établissements publics territoriaux"),
    "departement": ("string", "Code du département"),
    "communes": ("string", "Codes des communes où se trouve un Iris ou un quartier"),
}


@dataclass(frozen=True)
class Table:
    """A query over a view; ``name`` is in the file's name, ``numbers`` take a comma in French."""

    name: str
    query: str
    parameters: tuple[Any, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.parameters


def _values(name: str, where: str = "true", *parameters: Any) -> Table:
    numbers = tuple(field for field, (kind, _) in VALUES.items() if kind == "number")
    return Table(name, f"{_VALUES} WHERE {where}{_ORDER}", parameters, numbers)


def whole() -> Table:
    """All the recueil."""
    return _values("recueil")


def of_territories(
    codes: Sequence[str], theme: str | None = None, indicators: Sequence[str] = ()
) -> Table:
    """All indicators of some territories, or those of a theme, or those given, whole history."""
    name = "-".join(["territoire" if len(codes) == 1 else "comparaison", *codes])
    if indicators:
        chosen = "list_contains(?::VARCHAR[], v.territory) AND list_contains(?::VARCHAR[], v.indicator)"
        return _values(f"{name}-choix", chosen, list(codes), list(indicators))
    if theme is None:
        return _values(name, "list_contains(?::VARCHAR[], v.territory)", list(codes))
    return _values(
        f"{name}-{theme}",
        "list_contains(?::VARCHAR[], v.territory) AND d.theme = ?",
        list(codes),
        theme,
    )


def of_indicator(indicator: str) -> Table:
    """One indicator, all territories and months."""
    return _values(f"indicateur-{indicator}", "v.indicator = ?", indicator)


def definitions() -> Table:
    """The definition sheets."""
    listed = ", ".join(DEFINITIONS)
    return Table("indicateurs", f"SELECT {listed} FROM definitions ORDER BY indicator")


def territories() -> Table:
    """The territories, in each geography."""
    listed = ", ".join(TERRITORIES)
    return Table("territoires", f"SELECT {listed} FROM territories ORDER BY territory, geography")


def sdmx(view: View) -> Table:
    """All the recueil as SDMX-CSV 2.0."""
    return Table(
        "recueil-sdmx",
        "SELECT 'dataflow' AS STRUCTURE, ? AS STRUCTURE_ID, 'I' AS ACTION, "
        "v.indicator AS INDICATOR, v.territory AS REF_AREA, v.geography AS GEOGRAPHY, "
        "v.month AS TIME_PERIOD, v.value AS OBS_VALUE, d.unit AS UNIT_MEASURE, "
        "v.obs_status AS OBS_STATUS, v.conf_status AS CONF_STATUS, a.simulated AS SIMULATED "
        "FROM indicator_values v JOIN definitions d USING (indicator) CROSS JOIN release.about a"
        + _ORDER,
        (f"{view.observatory.id.upper()}:RECUEIL(1.0)",),
    )


def file_name(view: View, table: Table, extension: str) -> str:
    """A name that says the release, and that data are simulated when they are."""
    mark = "-DONNEES-SIMULEES" if view.simulated else ""
    return f"{view.observatory.id}-edition{view.number}-{table.name}{mark}.{extension}"


def write(view: View, table: Table, extension: str) -> tuple[Path, bool]:
    """The file, and whether it is to be kept: a whole table is made once a view, others each time.

    ``extension`` is a key of :data:`FORMATS`.
    """
    path = view.workshop / f"{table.name}.{extension}"
    if table.whole and path.exists():
        return path, True
    temporary = view.workshop / f"{secrets.token_hex(16)}.{extension}"
    if extension == "xlsx":
        _workbook(view, table, temporary)
    else:
        _copy(view, table, extension, temporary)
    if not table.whole:
        return temporary, False
    temporary.replace(path)
    return path, True


def _copy(view: View, table: Table, extension: str, path: Path) -> None:
    query = table.query
    if extension == "csv" and table.numbers:
        shown = ", ".join(f"replace(CAST({n} AS VARCHAR), '.', ',') AS {n}" for n in table.numbers)
        query = f"SELECT * REPLACE ({shown}) FROM ({query})"
    options = {
        "csv": "(FORMAT csv, HEADER, DELIMITER ';')",
        "machine.csv": "(FORMAT csv, HEADER)",
        "parquet": "(FORMAT parquet, COMPRESSION zstd)",
    }[extension]
    copy = f"COPY ({query}) TO {quoted(path)} {options}"
    view.connection.cursor().execute(copy, list(table.parameters))
    if extension == "csv":
        # The mark by which spreadsheets read UTF-8.
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def _workbook(view: View, table: Table, path: Path) -> None:
    """The table, then what its columns mean and, for values, the definitions of its indicators."""
    cursor = view.connection.cursor()
    cursor.execute(table.query, list(table.parameters))
    header = [column[0] for column in cursor.description or []]
    said = {**DEFINITIONS, **TERRITORIES, **VALUES}
    columns = [(name, said[name][1]) for name in header if name in said]
    others: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {
        "Colonnes": (("colonne", "sens"), columns)
    }
    if "value" in header:
        sheets = view.connection.cursor().execute(
            f"WITH shown AS ({table.query}) SELECT {', '.join(DEFINITIONS)} FROM definitions "
            "WHERE indicator IN (SELECT indicator FROM shown) ORDER BY theme, family, label",
            list(table.parameters),
        )
        others["Définitions"] = (tuple(DEFINITIONS), sheets.fetchall())
    write_xlsx(path, header, _rows(cursor), others)


def _rows(cursor: Any) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(5000):
        yield from rows
