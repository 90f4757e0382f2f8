"""Reads what ``assets/`` declares to be read: studies, the portrait, the socle, templates, synonyms."""

from dataclasses import dataclass, field
from pathlib import Path

from odds_pipeline.declarations.checks.publications import (
    portrait_problems,
    socle_problems,
    statement_problems,
    study_problems,
    synonym_problems,
    template_problems,
    text_problems,
)
from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.problems import DeclarationError, Problem
from odds_pipeline.declarations.socle import Socle
from odds_pipeline.declarations.statement import ReleaseText, ReleaseTexts, Statement, Statements
from odds_pipeline.declarations.study import Study
from odds_pipeline.declarations.synonyms import Synonym, Synonyms
from odds_pipeline.declarations.templates import Template, Templates
from odds_pipeline.declarations.validation import Reader


@dataclass
class Publications:
    """What is declared, and every mistake in it."""

    studies: dict[str, Study] = field(default_factory=dict)
    portrait: Portrait | None = None
    socle: Socle | None = None
    synonyms: list[Synonym] = field(default_factory=list)
    statements: dict[str, Statement] = field(default_factory=dict)
    texts: dict[int, list[ReleaseText]] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load_publications(declared: Declared) -> Publications:
    """What :func:`read_publications` reads; :class:`DeclarationError` lists every mistake."""
    found = read_publications(declared)
    if found.problems:
        raise DeclarationError(found.problems)
    return found


def read_publications(declared: Declared) -> Publications:
    """Read and check ``assets/studies/*.yaml`` and the files beside ``assets/observatory.yaml``."""
    reader, found = Reader(declared.root), Publications()
    for path in sorted((declared.root / "assets" / "studies").glob("*.yaml")):
        if read := reader.declared(Study, path):
            study, file = read
            reader.problems += study_problems(declared, study, file)
            found.studies[study.id] = study
            found.files[study.id] = file.path
    _read_statements(reader, declared, found)
    path = declared.root / "assets" / "portrait_social.yaml"
    if path.exists() and (portrait := reader.declared(Portrait, path)):
        found.portrait, file = portrait
        found.files["portrait"] = file.path
        reader.problems += portrait_problems(declared, found.portrait, found.statements, file)
    path = declared.root / "assets" / "socle.yaml"
    if path.exists() and (socle := reader.declared(Socle, path)):
        found.socle, file = socle
        reader.problems += socle_problems(declared, found.socle, file)
    path = declared.root / "assets" / "synonymes.yaml"
    if path.exists() and (synonyms := reader.declared(Synonyms, path)):
        words, file = synonyms
        found.synonyms = words.synonyms
        reader.problems += synonym_problems(declared, words, file)
    path = declared.root / "assets" / "modeles.yaml"
    if path.exists() and (templates := reader.declared(Templates, path)):
        lists, file = templates
        found.templates = lists.templates
        reader.problems += template_problems(declared, lists, file)
    found.problems = reader.problems
    return found


def _read_statements(reader: Reader, declared: Declared, found: Publications) -> None:
    """The sentences, then what committees make of them in a release."""
    for path in sorted((declared.root / "assets" / "statements").glob("*.yaml")):
        if read := reader.declared(Statements, path):
            given, file = read
            reader.problems += statement_problems(declared, given.statements, found.statements, file)
            found.statements |= given.statements
    for path in sorted((declared.root / "assets" / "texts").glob("*.yaml")):
        if texts := reader.declared(ReleaseTexts, path):
            own, file = texts
            reader.problems += text_problems(declared, own, found.statements, file)
            found.texts[own.release] = own.texts
