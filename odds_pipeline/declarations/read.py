"""Reads the partners, feeds, indicators and suites of a project folder."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from odds_pipeline.declarations.correction import Corrections
from odds_pipeline.declarations.declared import Declared, FeedEntry, IndicatorEntry
from odds_pipeline.declarations.feed import Feed
from odds_pipeline.declarations.indicator import Defaults, Family, Indicator
from odds_pipeline.declarations.lending import with_lent
from odds_pipeline.declarations.observatory import read_observatory
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.portal import Portal, Portals
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.suite import Suite
from odds_pipeline.declarations.units import read_units
from odds_pipeline.declarations.validation import Reader, same_name
from odds_pipeline.declarations.yaml_file import Loc, YamlFile
from odds_pipeline.geography.territories import Territories

CORRECTIONS = ".corrections.yaml"


def read_declared(root: Path, territories: Territories) -> tuple[Declared, list[Problem]]:
    """Everything that can be read, and every mistake that a file shows by itself."""
    observatory = read_observatory(root)
    reader = _ProjectReader(root, observatory.themes)
    for folder in sorted((root / "assets" / "partners").iterdir()):
        if folder.is_dir():
            reader.partner(folder)
    for path in sorted((root / "assets" / "indicators").glob("*/*.yaml")):
        reader.family(path)
    for path in sorted((root / "expectations").rglob("*.yaml")):
        reader.suite(path)
    declared = Declared(
        root,
        observatory,
        territories,
        read_units(root / "resources" / "reference" / "units.csv"),
        reader.partners,
        with_lent(reader.feeds),
        reader.indicators,
        reader.families,
        reader.suites,
        frozenset(reader.failed),
        reader.portals(),
    )
    return declared, reader.problems


class _ProjectReader(Reader):
    def __init__(self, root: Path, themes: Collection[str]) -> None:
        super().__init__(root)
        self.themes = themes
        self.partners: dict[str, Partner] = {}
        self.feeds: dict[str, FeedEntry] = {}
        self.indicators: dict[str, IndicatorEntry] = {}
        self.families: dict[str, Family] = {}
        self.suites: dict[str, tuple[Suite, YamlFile]] = {}

    def portals(self) -> dict[str, Portal]:
        """The portals that public files are fetched from; a project may have none."""
        path = self.root / "resources" / "portals.yaml"
        read = self.declared(Portals, path) if path.exists() else None
        return read[0].portals if read else {}

    def partner(self, folder: Path) -> None:
        """A partner with its feeds; its feeds are read even when its own file is wrong."""
        path = folder / "partner.yaml"
        partner = None
        if not path.exists():
            self.problems.append(Problem(path.relative_to(self.root), 1, "partner.yaml is missing"))
            self.failed.add(path.relative_to(self.root))
        elif read := self.declared(Partner, path):
            partner, file = read
            self.problems += same_name(file, partner.id, folder.name, "folder")
            self.partners[partner.id] = partner
        corrections = sorted(folder.glob(f"*{CORRECTIONS}"))
        for feed_path in sorted({*folder.glob("*.yaml")} - {path, *corrections}):
            self._feed(partner, feed_path)
        for path in corrections:
            self._corrections(folder.name, path)

    def _feed(self, partner: Partner | None, path: Path) -> None:
        read = self.declared(Feed, path)
        if read is None:
            return
        feed, file = read
        self.problems += same_name(file, feed.id, path.stem, "file")
        if partner is not None:
            self.feeds[f"{partner.id}/{feed.id}"] = FeedEntry(partner, feed, file)

    def _corrections(self, partner: str, path: Path) -> None:
        """The known errors of a feed, in the file beside its contract."""
        read = self.declared(Corrections, path)
        feed = path.name.removesuffix(CORRECTIONS)
        contract = path.with_name(f"{feed}.yaml").relative_to(self.root)
        entry = self.feeds.get(f"{partner}/{feed}")
        if read is None or (entry is None and contract in self.failed):
            return
        corrections, file = read
        if entry is None:
            self.problems.append(file.problem((), f"no feed {feed!r}{nearest(feed, self.feeds)}"))
            return
        for i, correction in enumerate(corrections.corrections):
            at: Loc = ("corrections", i)
            if correction.id in {c.id for c in corrections.corrections[:i]}:
                self.problems.append(file.problem(at, f"correction {correction.id!r} is given twice"))
            wanted = correction.match.variable
            if wanted is not None and wanted not in entry.feed.variables:
                hint = nearest(wanted, entry.feed.variables)
                self.problems.append(file.problem(at, f"no variable {wanted!r} here{hint}"))
        self.feeds[entry.id] = replace(entry, corrections=tuple(corrections.corrections))

    def family(self, path: Path) -> None:
        """A family with those of its indicators that can be read."""
        file = self.file(path)
        if file is None:
            return
        if not isinstance(file.data, dict) or not isinstance(file.data.get("indicators") or None, dict):
            self.problems.append(file.problem((), "expected id, theme, label, description, indicators"))
            self.failed.add(file.path)
            return
        data = dict(file.data)
        defaults = data.pop("defaults", None) or {}
        stanzas = data.pop("indicators")
        if self.validate(Defaults, file, defaults, ("defaults",)) is None:
            return
        indicators: dict[str, Indicator] = {}
        for name, stanza in stanzas.items():
            merged = _with_defaults(defaults, stanza) if isinstance(stanza, dict) else stanza
            indicator = self.validate(Indicator, file, merged, ("indicators", name))
            if indicator is not None:
                indicators[name] = indicator
        if not indicators:
            return
        family = self.validate(Family, file, {**data, "indicators": indicators})
        if family is None:
            return
        self.problems += same_name(file, family.id, path.stem, "file")
        if family.theme != path.parent.name:
            message = f"theme {family.theme!r} is not its folder's, {path.parent.name!r}"
            self.problems.append(file.problem(("theme",), message))
        elif family.theme not in self.themes:
            message = f"no theme {family.theme!r}{nearest(family.theme, self.themes)}"
            self.problems.append(file.problem(("theme",), message))
        self.families[f"{family.theme}/{family.id}"] = family
        for name, indicator in indicators.items():
            self._indicator(
                IndicatorEntry(name, family, indicator, file.path, file.line(("indicators", name)))
            )

    def _indicator(self, entry: IndicatorEntry) -> None:
        other = self.indicators.setdefault(entry.id, entry)
        if other is not entry:
            message = f"indicator {entry.id!r} is already in {other.file}:{other.line}"
            self.problems.append(Problem(entry.file, entry.line, message))

    def suite(self, path: Path) -> None:
        """A suite, by its path under ``expectations/``."""
        if read := self.declared(Suite, path):
            key = path.relative_to(self.root / "expectations").with_suffix("").as_posix()
            self.suites[key] = read


def _with_defaults(defaults: dict[str, Any], stanza: dict[str, Any]) -> dict[str, Any]:
    """A stanza completed by its family; cautions add up, anything else of the stanza's own wins."""
    merged = {**defaults, **stanza}
    own, shared = stanza.get("cautions", []), defaults.get("cautions", [])
    if isinstance(own, list) and (own or shared):
        merged["cautions"] = [*shared, *own]
    return merged
