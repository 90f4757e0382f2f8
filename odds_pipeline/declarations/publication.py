"""The publications made from a release: studies and the portrait, as ``assets/`` declares them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Name, Sentence
from odds_pipeline.declarations.indicator import THEMES
from odds_pipeline.declarations.problems import DeclarationError, Problem, nearest
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.yaml_file import YamlFile, read_yaml

Committee = Literal["technique", "pilotage"]
"""``technique`` meets every month, ``pilotage`` every half-year."""


class StudyIndicator(Declaration):
    """``fragile``: whether a high or a low value is the fragile one.

    ``months``: the value is the mean of that many last months, all of which must be known.
    """

    fragile: Literal["high", "low"] = "high"
    weight: float = Field(default=1, gt=0)
    months: int = Field(default=1, ge=1, le=36)


class Dimension(Declaration):
    """One side of what is studied; indicators of different sources are never added up."""

    label: Sentence
    weight: float = Field(default=1, gt=0)
    indicators: dict[Name, StudyIndicator] = Field(min_length=1)


class Study(Declaration):
    """``assets/studies/<id>.yaml``; its gate is the suite ``expectations/studies/<id>.yaml``.

    ``coverage``: least share of communes that must have a value for an indicator to be used, and
    least share of the indicators that a commune must have to be ranked.
    """

    id: Name
    label: Sentence
    description: Sentence
    owner: Sentence
    edition: Access
    geography: int
    coverage: float = Field(gt=0, le=1)
    dimensions: dict[Name, Dimension] = Field(min_length=2)
    limits: list[Sentence] = Field(min_length=1)

    @property
    def indicators(self) -> dict[str, StudyIndicator]:
        """Every indicator of every dimension, in order."""
        return {name: one for d in self.dimensions.values() for name, one in d.indicators.items()}


class PortraitTheme(Declaration):
    """Key indicators of a theme in reading order; ``map`` and ``trend`` are drawn."""

    indicators: list[Name] = Field(min_length=1)
    map: Name
    trend: Name


class Portrait(Declaration):
    """``assets/portrait_social.yaml``."""

    label: Sentence
    description: Sentence
    owner: Sentence
    edition: Access
    geography: int
    themes: dict[Name, PortraitTheme] = Field(min_length=1)
    method: list[Sentence] = Field(min_length=1)


Model = TypeVar("Model", bound=Declaration)


@dataclass
class Publications:
    """What is declared, and every mistake in it."""

    studies: dict[str, Study] = field(default_factory=dict)
    portrait: Portrait | None = None
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_publications(project: Project) -> Publications:
    """Read and check ``assets/studies/*.yaml`` and ``assets/portrait_social.yaml``."""
    found = Publications()
    for path in sorted((project.root / "assets" / "studies").glob("*.yaml")):
        file = read_yaml(path, project.root)
        study = _validate(Study, file, found)
        if study is not None:
            found.problems += _study_mistakes(project, study, file, path.stem)
            found.studies[study.id] = study
            found.files[study.id] = file.path
    path = project.root / "assets" / "portrait_social.yaml"
    if path.exists():
        file = read_yaml(path, project.root)
        found.portrait = _validate(Portrait, file, found)
        found.files["portrait"] = file.path
        if found.portrait is not None:
            found.problems += _portrait_mistakes(project, found.portrait, file)
    return found


def load_publications(project: Project) -> Publications:
    """The same; raises :class:`DeclarationError` listing every mistake."""
    found = read_publications(project)
    if found.problems:
        raise DeclarationError(found.problems)
    return found


def _validate(model: type[Model], file: YamlFile, found: Publications) -> Model | None:
    found.problems += file.problems
    if file.problems:
        return None
    try:
        return model.model_validate(file.data)
    except ValidationError as error:
        found.problems += [
            file.problem(tuple(e["loc"]), f"{'.'.join(map(str, e['loc']))}: {e['msg']}")
            for e in error.errors()
        ]
        return None


def _study_mistakes(project: Project, study: Study, file: YamlFile, stem: str) -> Iterator[Problem]:
    if study.id != stem:
        yield file.problem(("id",), f"id {study.id!r} differs from the name of its file, {stem!r}")
    if f"studies/{study.id}" not in project.suites:
        yield file.problem((), f"no gate: expectations/studies/{study.id}.yaml is missing")
    yield from _geography_mistake(project, study.geography, file)
    seen: set[str] = set()
    for name, dimension in study.dimensions.items():
        for indicator in dimension.indicators:
            at = ("dimensions", name, "indicators", indicator)
            entry = project.indicators.get(indicator)
            if entry is None:
                hint = nearest(indicator, project.indicators)
                yield file.problem(at, f"no indicator {indicator!r}{hint}")
            elif "commune" not in entry.indicator.levels:
                yield file.problem(at, f"{indicator} does not exist for communes")
            elif project.units[entry.indicator.unit].kind in ("count", "amount"):
                yield file.problem(at, f"{indicator} is a number, not a rate: communes do not compare")
            if indicator in seen:
                yield file.problem(at, f"{indicator} is in two dimensions: it would count twice")
            seen.add(indicator)


def _geography_mistake(project: Project, geography: int, file: YamlFile) -> Iterator[Problem]:
    known = project.territories.geographies
    if geography not in known:
        message = f"geography {geography} is not one of {', '.join(map(str, known))}"
        yield file.problem(("geography",), message)


def _portrait_mistakes(project: Project, portrait: Portrait, file: YamlFile) -> Iterator[Problem]:
    yield from _geography_mistake(project, portrait.geography, file)
    for name, theme in portrait.themes.items():
        if name not in THEMES:
            yield file.problem(("themes", name), f"no theme {name!r}{nearest(name, THEMES)}")
        for indicator in dict.fromkeys([*theme.indicators, theme.map, theme.trend]):
            if indicator not in project.indicators:
                hint = nearest(indicator, project.indicators)
                yield file.problem(("themes", name), f"no indicator {indicator!r}{hint}")
