"""Writes the recueil's definitions as pages for readers: one Markdown page per theme, in French.

Everything comes from the declarations, so that a page never says other than what is computed.
"""

from collections.abc import Sequence

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.feed import Break
from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.indicator import Family, Indicator
from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.french import ACCESS, LEVELS_PLURAL, MONTHS, decimals_of, french_month, french_number
from odds_pipeline.indicators.comparison import interval_of, years_apart
from odds_pipeline.release.definitions import corrections_of, notes_of, weights_of

CADENCES = {
    "monthly": "mensuel",
    "quarterly": "trimestriel",
    "annual": "annuel",
    "school_year": "par année scolaire",
}
DIRECTIONS = {
    "higher_is_better": "une valeur haute est favorable ; rang 1 à la plus haute",
    "lower_is_better": "une valeur basse est favorable ; rang 1 à la plus basse",
    "neutral": "ni favorable ni défavorable ; rang 1 à la plus haute",
}
INTERVALS = {"wilson": "à 95 %, méthode de Wilson", "byar": "à 95 %, méthode de Byar"}


def theme_pages(project: Project) -> dict[str, str]:
    """File name to text, for every theme that has a family."""
    pages = {}
    for theme, label in project.observatory.themes.items():
        families = [f for f in project.families.values() if f.theme == theme]
        if families:
            pages[f"{theme}.md"] = _page(project, label, families)
    return pages


def _page(project: Project, label: str, families: list[Family]) -> str:
    count = sum(len(f.indicators) for f in families)
    lines = [
        f"# {label}",
        "",
        f"{count} indicateurs. Page produite par `make docs` : ne pas la modifier.",
    ]
    for family in families:
        lines += ["", f"## {family.label}", "", family.description]
        for name in family.indicators:
            lines += ["", *_sheet(project, project.indicators[name])]
    return "\n".join(lines) + "\n"


def _sheet(project: Project, entry: IndicatorEntry) -> list[str]:
    indicator = entry.indicator
    unit = project.units[indicator.unit]
    feeds = {project.variables[v][0].id: project.variables[v][0] for v in indicator.parsed.variables}
    rows = [
        ("Unité", unit.label),
        ("Formule", f"`{indicator.formula}`"),
        ("Numérateur" if indicator.denominator else "Mesure", indicator.numerator),
        ("Dénominateur", indicator.denominator),
        ("Population", indicator.population),
        ("Niveaux", ", ".join(LEVELS_PLURAL[level] for level in indicator.levels)),
        ("Calendrier", _calendar(project.feed_of(indicator).feed.calendar)),
        ("Sens", DIRECTIONS[indicator.direction]),
        ("Source", " ; ".join(dict.fromkeys(f.feed.source for f in feeds.values()))),
        ("Producteur", " ; ".join(dict.fromkeys(f.partner.label for f in feeds.values()))),
        ("Licence", " ; ".join(dict.fromkeys(f.partner.licence for f in feeds.values()))),
        ("Accès", ACCESS[project.access_of(indicator)]),
        ("Responsable", indicator.owner),
        ("Intervalle de confiance", INTERVALS.get(interval_of(project, indicator) or "")),
        ("Évolutions", _changes(project, indicator)),
        ("Limites", indicator.limits),
        ("Précautions", "<br>".join(indicator.cautions)),
        ("Ruptures", "<br>".join(_break(b) for b in project.breaks_of(indicator))),
        (
            "Sources des ruptures",
            "<br>".join(_said(b) for b in project.breaks_of(indicator) if b.source),
        ),
        ("Depuis", french_month(indicator.since) if indicator.since else ""),
        ("Moyenne d’un ensemble", _weighted(project, indicator)),
        ("Notes sur la source", "<br>".join(notes_of(project, indicator))),
        ("Erreurs connues", "<br>".join(_correction(c) for c in corrections_of(project, indicator))),
        ("Exemple", _example(project, indicator)),
    ]
    return [
        f"### {indicator.label}",
        "",
        f"`{entry.id}`",
        "",
        indicator.definition,
        "",
        "| | |",
        "| --- | --- |",
        *[f"| {name} | {text.replace('|', chr(92) + '|')} |" for name, text in rows if text],
    ]


def _break(one: Break) -> str:
    return f"{french_month(one.month)} : {one.reason}"


def _said(one: Break) -> str:
    return f"{french_month(one.month)} : {one.source}"


def _weighted(project: Project, indicator: Indicator) -> str:
    weights = [label[0].lower() + label[1:] for label in weights_of(project, indicator)]
    return f"pondérée par : {' ; '.join(weights)}" if weights else ""


def _correction(one: dict[str, str]) -> str:
    return f"{one['reason']} (signalée : {one['reported_to']})"


def _calendar(calendar: Calendar) -> str:
    when = f", situation de {MONTHS[calendar.month - 1]}" if calendar.cadence == "annual" else ""
    return (
        f"{CADENCES[calendar.cadence]}{when}, depuis {french_month(calendar.first)} ; "
        f"disponible environ {calendar.lag} mois après"
    )


def _changes(project: Project, indicator: Indicator) -> str:
    unit = project.units[project.units[indicator.unit].change_unit]
    apart = "".join(_apart(year, n) for year, n in years_apart(project, indicator).items() if n > 1)
    return f"en {unit.label.removeprefix('évolution en ')}{apart}"


def _apart(year: int, years: int) -> str:
    since = f"à partir de {year}, " if year else ""
    return f" ; {since}deux valeurs ne se comparent qu’à {years} ans d’écart"


def _example(project: Project, indicator: Indicator) -> str:
    unit = project.units[indicator.unit]
    inputs = [
        f"{_named(project, term)} {_number(indicator.example.inputs[term.key])}"
        for term in {term.key: term for term in indicator.parsed.terms}.values()
    ]
    shown = decimals_of(indicator.example.value, indicator.decimals, indicator.to_the_unit)
    value = french_number(indicator.example.value, shown)
    return f"{' ; '.join(inputs)} → **{value}** {unit.symbol or unit.label}"


def _named(project: Project, term: Term) -> str:
    label = project.variables[term.variable][1].label
    said = [_WINDOWS[term.window], _when(term), _AT.get(term.at, term.at)]
    told = ", ".join(filter(None, said))
    return f"{label} ({told}) :" if told else f"{label} :"


_WINDOWS = {"": "", "year_total": "total de l’année", "twelve_months": "douze derniers mois"}
_AT = {
    "departement": "au département",
    "ept": "à l’EPT",
    "epci": "à l’EPCI",
    "france": "en France",
    "region": "à la région",
    "metropole": "à la métropole",
    "zone_emploi": "à la zone d’emploi",
}


def _when(term: Term) -> str:
    years, months = divmod(term.lag, 12)
    if term.month:
        return f"en {term.month}"
    if months:
        return f"{term.lag} mois plus tôt"
    return f"{years} an{'s' if years > 1 else ''} plus tôt" if years else ""


def _number(value: float | Sequence[float]) -> str:
    if not isinstance(value, int | float):
        return ", ".join(map(_number, value))
    decimals = 0 if value == int(value) else len(f"{value}".split(".")[1])
    return french_number(value, decimals)
