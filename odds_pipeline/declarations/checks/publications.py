"""Checks the declared publications: their indicators exist and compare."""

from collections.abc import Iterator, Mapping

from odds_pipeline.declarations.access import readable
from odds_pipeline.declarations.checks.names import indicator_missing
from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.socle import Socle
from odds_pipeline.declarations.statement import ReleaseTexts, Statement
from odds_pipeline.declarations.study import Study
from odds_pipeline.declarations.synonyms import Synonyms
from odds_pipeline.declarations.templates import Templates
from odds_pipeline.declarations.validation import same_name
from odds_pipeline.declarations.yaml_file import YamlFile
from odds_pipeline.geography.territories import plain


def study_problems(declared: Declared, study: Study, file: YamlFile) -> Iterator[Problem]:
    """Every mistake of a study."""
    yield from same_name(file, study.id, file.path.stem, "file")
    if f"studies/{study.id}" not in declared.suites:
        yield file.problem((), f"no gate: expectations/studies/{study.id}.yaml is missing")
    yield from _geography(declared, study.geography, file)
    if study.households and (message := indicator_missing(declared, study.households)):
        yield file.problem(("households",), message)
    seen: set[str] = set()
    for name, dimension in study.dimensions.items():
        for indicator in dimension.indicators:
            for message in _studied(declared, indicator, indicator in seen):
                yield file.problem(("dimensions", name, "indicators", indicator), message)
            seen.add(indicator)


def _studied(declared: Declared, indicator: str, twice: bool) -> Iterator[str]:
    entry = declared.indicators.get(indicator)
    if entry is None:
        yield from filter(None, [indicator_missing(declared, indicator)])
    elif "commune" not in entry.indicator.levels:
        yield f"{indicator} does not exist for communes"
    elif declared.units[entry.indicator.unit].adds_up:
        yield f"{indicator} is a number, not a rate: communes do not compare"
    if twice:
        yield f"{indicator} is in two dimensions: it would count twice"


def portrait_problems(
    declared: Declared, portrait: Portrait, statements: Mapping[str, Statement], file: YamlFile
) -> Iterator[Problem]:
    """Every mistake of the portrait."""
    themes = declared.observatory.themes
    yield from _geography(declared, portrait.geography, file)
    lists = {("essential",): portrait.essential, ("commune",): portrait.commune} | {
        ("themes", name): [*theme.titles, *theme.statements] for name, theme in portrait.themes.items()
    }
    for at, names in lists.items():
        for name in names:
            if name not in statements:
                yield file.problem(at, f"no statement {name!r}{nearest(name, statements)}")
    for name, theme in portrait.themes.items():
        if name not in themes:
            yield file.problem(("themes", name), f"no theme {name!r}{nearest(name, themes)}")
        for indicator in dict.fromkeys([*theme.indicators, theme.map, theme.trend]):
            for message in _shown(declared, portrait, indicator):
                yield file.problem(("themes", name), message)


def _shown(declared: Declared, portrait: Portrait, indicator: str) -> Iterator[str]:
    entry = declared.indicators.get(indicator)
    if entry is None:
        yield from filter(None, [indicator_missing(declared, indicator)])
    elif not set(entry.indicator.parsed.variables) <= declared.variables.keys():
        return  # told where the indicator is declared
    elif (access := declared.access_of(entry.indicator)) not in readable(portrait.access):
        yield f"{indicator} is for {access}: {portrait.access} may not read it"


def statement_problems(
    declared: Declared,
    statements: Mapping[str, Statement],
    known: Mapping[str, Statement],
    file: YamlFile,
) -> Iterator[Problem]:
    """Every mistake of a file of sentences; that an example comes out is tested."""
    for name, statement in statements.items():
        at = ("statements", name)
        if name in known:
            yield file.problem(at, f"statement {name!r} is declared twice")
        if message := indicator_missing(declared, statement.indicator):
            yield file.problem((*at, "indicator"), message)
        if lacking := statement.slots - statement.example.figures.keys():
            yield file.problem((*at, "example"), f"no figure for {', '.join(sorted(lacking))}")
        if unknown := {slot for slot in statement.slots if not slot.isidentifier()}:
            yield file.problem((*at, "text"), f"not a name: {', '.join(sorted(unknown))}")


def text_problems(
    declared: Declared, texts: ReleaseTexts, statements: Mapping[str, Statement], file: YamlFile
) -> Iterator[Problem]:
    """Every mistake of the texts of a release."""
    codes = {t.code for t in declared.territories.all}
    for i, text in enumerate(texts.texts):
        at = ("texts", i)
        if text.place not in codes:
            yield file.problem((*at, "place"), f"no territory {text.place!r}")
        if text.action != "add" and text.statement not in statements:
            yield file.problem(
                at, f"{text.action} which statement? {nearest(text.statement or '', statements)}"
            )
        if text.action == "add" and text.theme not in declared.observatory.themes:
            yield file.problem(at, f"add to which theme? {', '.join(declared.observatory.themes)}")
        if (text.action == "strike") == bool(text.text):
            wanted = "strike has no text" if text.text else f"{text.action}: the text is missing"
            yield file.problem(at, wanted)


def socle_problems(declared: Declared, socle: Socle, file: YamlFile) -> Iterator[Problem]:
    """Every mistake of the socle."""
    known = declared.observatory.themes
    for theme in socle.themes:
        if theme not in known:
            yield file.problem(("themes", theme), f"no theme {theme!r}{nearest(theme, known)}")
    lists: dict[tuple[str, ...], list[str]] = {
        **{("themes", name): names for name, names in socle.themes.items()},
        **{("publics", name): public.indicators for name, public in socle.publics.items()},
        ("likeness",): socle.likeness,
        ("map",): [socle.map] if socle.map else [],
    }
    for at, names in lists.items():
        for indicator in names:
            if message := indicator_missing(declared, indicator):
                yield file.problem(at, message)


def template_problems(declared: Declared, templates: Templates, file: YamlFile) -> Iterator[Problem]:
    """Every mistake of the templates; one and a theme share the names that an address may ask for."""
    for name, template in templates.templates.items():
        if name in declared.observatory.themes:
            yield file.problem(("templates", name), f"{name!r} is a theme: give it another name")
        for i, part in enumerate(template.parts):
            for indicator in part.indicators:
                if message := indicator_missing(declared, indicator):
                    yield file.problem(("templates", name, "parts", i, "indicators"), message)


def synonym_problems(declared: Declared, synonyms: Synonyms, file: YamlFile) -> Iterator[Problem]:
    """Every mistake of the synonyms; a word that stands twice would find the first one's only."""
    seen: set[str] = set()
    for i, synonym in enumerate(synonyms.synonyms):
        for indicator in synonym.indicators:
            if message := indicator_missing(declared, indicator):
                yield file.problem(("synonyms", i, "indicators"), message)
        for word in map(plain, synonym.words):
            if word in seen:
                yield file.problem(("synonyms", i, "words"), f"{word!r} is given twice")
            seen.add(word)


def _geography(declared: Declared, geography: int, file: YamlFile) -> Iterator[Problem]:
    known = declared.territories.geographies
    if geography not in known:
        message = f"geography {geography} is not one of {', '.join(map(str, known))}"
        yield file.problem(("geography",), message)
