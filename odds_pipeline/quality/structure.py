"""What is wrong with a file before any figure of it is looked at."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.french import french_month
from odds_pipeline.quality.findings import SHOWN, Finding, Row
from odds_pipeline.reception.reading import Reading

TEAM = "Rien n'est demandé au partenaire : l'équipe de l'observatoire revoit ses déclarations."
_NUMBERS = (
    "Renvoyer le fichier avec des nombres en chiffres seuls, sans note, unité ni séparateur de "
    "milliers ; le signe décimal est {}."
)
RHYTHMS = {
    "monthly": "chaque mois",
    "quarterly": "chaque trimestre",
    "annual": "chaque année",
    "school_year": "chaque rentrée",
}
_PERIOD = "Vérifier la période du fichier et de son nom."


def _finding(
    delivery: str, month: str, rule: str, message: str, remedy: str, rows: list[Row] | None = None
) -> Finding:
    """A fault of structure, or none where there is no message; no person may overrule one."""
    return Finding(
        subject=delivery,
        month=month,
        rule=rule,
        severity="critical",
        passed=not message,
        message=message,
        remedy=remedy,
        count=len(rows or []),
        rows=(rows or [])[:SHOWN],
        overrulable=False,
    )


def structure_findings(entry: FeedEntry, delivery: str, reading: Reading) -> Iterator[Finding]:
    """Whether each month is expected and past, lines are whole and corrections find their error."""
    calendar = entry.feed.calendar
    today = f"{date.today():%Y-%m}"
    rows: list[Row] = [{"line": line, "detail": text} for line, text in reading.problems]
    idle = f"Des corrections ne trouvent plus l'erreur de la source : {', '.join(reading.idle)}."
    first, rhythm = french_month(calendar.first), RHYTHMS[calendar.cadence]
    unexpected = f"{entry.feed.label} commence en {first}, {rhythm}."
    for month in reading.months:
        told = french_month(month)
        wrong = "" if calendar.has(month) else f"Le mois « {told} » n'est pas attendu : {unexpected}"
        yield _finding(delivery, month, "calendrier", wrong, _PERIOD)
        future = f"Le fichier décrit {told}, qui n'est pas encore passé." if month > today else ""
        yield _finding(delivery, month, "periode_future", future, _PERIOD)
        yield _finding(delivery, month, "corrections", idle if reading.idle else "", TEAM)
        doubt = f"Le contrat ne dit pas tout : {reading.doubt}." if reading.doubt else ""
        yield _finding(delivery, month, "geographie", doubt, TEAM)
        short = f"{len(rows)} lignes du fichier n'ont pas un sens certain." if rows else ""
        if len(rows) == 1:
            short = f"Ligne {rows[0]['line']} : {rows[0]['detail']}."
        remedy = "Corriger les lignes citées et renvoyer le fichier entier."
        yield _finding(delivery, month, "lignes", short, remedy, rows if len(rows) > 1 else [])


def notation_findings(delivery: str, reading: Reading) -> Iterator[Finding]:
    """One cause, told once, of many cells that are no numbers."""
    if reading.notation is None:
        return
    unread = reading.frame[reading.frame["unreadable"].notna()]
    for month, own in unread.groupby("month"):
        shown = own[["month", "variable", "territory", "line", "raw"]].head(3).to_dict("records")
        rows: list[Row] = [
            {**row, "column": reading.columns.get(row["variable"])}  # type: ignore[dict-item]
            for row in shown
        ]
        message = f"{len(own)} cellules ne sont pas des nombres : elles ont {reading.notation}."
        remedy = _NUMBERS.format("la virgule" if reading.decimal == "," else "le point")
        found = _finding(delivery, str(month), "lisible", message, remedy, rows)
        yield replace(found, count=len(own))


def unread_findings(delivery: str, months: list[str]) -> list[Finding]:
    """Of a delivery that its own contract, changed since, no longer recognises."""
    message = "Le contrat ne reconnaît plus ce fichier."
    return [_finding(delivery, month, "contrat", message, TEAM) for month in months]
