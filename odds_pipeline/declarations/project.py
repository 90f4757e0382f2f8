"""All declarations of a project folder, read together and checked against each other."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from odds_pipeline.declarations.access import Access, strictest
from odds_pipeline.declarations.correction import Correction, Corrections
from odds_pipeline.declarations.deployment import Deployment, deployment
from odds_pipeline.declarations.feed import Feed, Variable
from odds_pipeline.declarations.formula import unit_mismatch
from odds_pipeline.declarations.indicator import THEMES, Defaults, Family, Indicator
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.problems import DeclarationError, Problem, nearest
from odds_pipeline.declarations.root import project_root as project_root
from odds_pipeline.declarations.secrecy import Secrecy
from odds_pipeline.declarations.suite import Rule, Suite
from odds_pipeline.declarations.units import Unit, read_units
from odds_pipeline.declarations.yaml_file import Loc, YamlFile, read_yaml
from odds_pipeline.geography.territories import Territories

Model = TypeVar("Model", bound=BaseModel)


CORRECTIONS = ".corrections.yaml"


@dataclass(frozen=True)
class FeedEntry:
    """A feed with its partner, the file that declares it and the known errors of its source."""

    partner: Partner
    feed: Feed
    file: YamlFile
    corrections: tuple[Correction, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.partner.id}/{self.feed.id}"

    @property
    def secrecy(self) -> Secrecy:
        return self.feed.secrecy or self.partner.secrecy

    @property
    def access(self) -> Access:
        return self.feed.access or self.partner.access

    def variable_id(self, name: str) -> str:
        return f"{self.partner.id}.{name}"


@dataclass(frozen=True)
class IndicatorEntry:
    """An indicator with its family and the line that declares it."""

    id: str
    family: Family
    indicator: Indicator
    file: Path
    line: int

    @property
    def path(self) -> str:
        return f"{self.family.theme}/{self.id}"


def _describe(error: Any, model: type[BaseModel]) -> str:
    """Say a pydantic error in the words of someone who writes YAML."""
    key = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(model, error["loc"][:-1])
            expected = f"; expected one of: {', '.join(sorted(known))}" if known else ""
            return f"unknown key {key!r}{nearest(key, known)}{expected}"
        case "missing":
            return f"{key!r} is missing"
        case "literal_error":
            wrong = str(error["input"])
            choices = [c.strip("'") for c in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            return f"{key}: {wrong!r} is not one of {', '.join(choices)}{nearest(wrong, choices)}"
        case "string_pattern_mismatch":
            return f"{key}: {error['input']!r} does not match {error['ctx']['pattern']}"
        case _:
            return f"{key}: {error['msg'].removeprefix('Value error, ')} (found {error['input']!r})"


def _with_defaults(defaults: dict[str, Any], stanza: dict[str, Any]) -> dict[str, Any]:
    """A stanza completed by its family; cautions add up, anything else of the stanza's own wins."""
    merged = {**defaults, **stanza}
    own, shared = stanza.get("cautions", []), defaults.get("cautions", [])
    if isinstance(own, list) and (own or shared):
        merged["cautions"] = [*shared, *own]
    return merged


def _known_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that the class at ``loc`` accepts, or none when it cannot be told."""
    current: Any = model
    for step in loc:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            break
        if step in current.model_fields:
            current = current.model_fields[str(step)].annotation
            for argument in _arguments(current):
                if isinstance(argument, type) and issubclass(argument, BaseModel):
                    current = argument
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [f.alias or name for name, f in current.model_fields.items()]
    return []


def _arguments(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _arguments(argument)


@dataclass
class Project:
    """The declarations of one project folder; ``problems`` is empty when all of it is right."""

    root: Path
    territories: Territories
    units: dict[str, Unit]
    partners: dict[str, Partner] = field(default_factory=dict)
    feeds: dict[str, FeedEntry] = field(default_factory=dict)
    indicators: dict[str, IndicatorEntry] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    suites: dict[str, tuple[Suite, YamlFile]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _perimeters: dict[tuple[str, ...], Territories] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path | None = None) -> "Project":
        """Read everything, collecting every problem instead of stopping at the first."""
        root = root or project_root()
        reference = root / "resources" / "reference"
        territories = Territories.read(reference, deployment().perimeter)
        project = cls(root, territories, read_units(reference / "units.csv"))
        for folder in sorted((root / "assets" / "partners").iterdir()):
            if folder.is_dir():
                project._read_partner(folder)
        for path in sorted((root / "assets" / "indicators").glob("*/*.yaml")):
            project._read_family(path)
        for path in sorted((root / "expectations").rglob("*.yaml")):
            project._read_suite(path)
        project._check_feeds()
        project._check_indicators()
        project._check_suites()
        project._keep(deployment(), Territories.read(reference).departements)
        return project

    @classmethod
    def load(cls, root: Path | None = None) -> "Project":
        """Read everything; raise :class:`DeclarationError` listing every mistake."""
        project = cls.read(root)
        if project.problems:
            raise DeclarationError(project.problems)
        return project

    # ── reading ──────────────────────────────────────────────────────────────────────────────

    def _validate(self, model: type[Model], file: YamlFile, data: Any, at: Loc = ()) -> Model | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in error.errors():
                loc = (*at, *detail["loc"])
                message = _describe(detail, model)
                if not at and not detail["loc"]:
                    message = f"expected a mapping of keys: {detail['msg']}"
                self.problems.append(file.problem(loc, message))
            return None

    def _read(self, path: Path) -> YamlFile | None:
        file = read_yaml(path, self.root)
        self.problems += file.problems
        return None if file.problems else file

    def _read_partner(self, folder: Path) -> None:
        path = folder / "partner.yaml"
        if not path.exists():
            self.problems.append(Problem(folder.relative_to(self.root), 1, "partner.yaml is missing"))
            return
        file = self._read(path)
        partner = self._validate(Partner, file, file.data) if file else None
        if file is None or partner is None:
            return
        self._same_name(file, partner.id, folder.name, "folder")
        self.partners[partner.id] = partner
        for feed_path in sorted(folder.glob("*.yaml")):
            if feed_path.name == "partner.yaml" or feed_path.name.endswith(CORRECTIONS):
                continue
            feed_file = self._read(feed_path)
            feed = self._validate(Feed, feed_file, feed_file.data) if feed_file else None
            if feed_file is not None and feed is not None:
                self._same_name(feed_file, feed.id, feed_path.stem, "file")
                self.feeds[f"{partner.id}/{feed.id}"] = FeedEntry(partner, feed, feed_file)
        for path in sorted(folder.glob(f"*{CORRECTIONS}")):
            self._read_corrections(partner.id, path)

    def _read_corrections(self, partner: str, path: Path) -> None:
        """The known errors of a feed, in the file beside its contract."""
        file = self._read(path)
        read = self._validate(Corrections, file, file.data) if file else None
        if file is None or read is None:
            return
        feed = path.name.removesuffix(CORRECTIONS)
        entry = self.feeds.get(f"{partner}/{feed}")
        if entry is None:
            self.problems.append(file.problem((), f"no feed {feed!r}{nearest(feed, self.feeds)}"))
            return
        for i, correction in enumerate(read.corrections):
            at: Loc = ("corrections", i)
            if correction.id in {c.id for c in read.corrections[:i]}:
                self.problems.append(file.problem(at, f"correction {correction.id!r} is given twice"))
            wanted = correction.match.variable
            if wanted is not None and wanted not in entry.feed.variables:
                hint = nearest(wanted, entry.feed.variables)
                self.problems.append(file.problem(at, f"no variable {wanted!r} here{hint}"))
        self.feeds[entry.id] = replace(entry, corrections=tuple(read.corrections))

    def _same_name(self, file: YamlFile, found: str, expected: str, what: str) -> None:
        if found != expected:
            self.problems.append(
                file.problem(("id",), f"id {found!r} differs from the name of its {what}, {expected!r}")
            )

    def _read_family(self, path: Path) -> None:
        file = self._read(path)
        if file is None:
            return
        if not isinstance(file.data, dict) or not isinstance(file.data.get("indicators"), dict):
            self.problems.append(file.problem((), "expected id, theme, label, description, indicators"))
            return
        data = dict(file.data)
        defaults = data.pop("defaults", None) or {}
        stanzas = data.pop("indicators")
        if self._validate(Defaults, file, defaults, ("defaults",)) is None:
            return
        indicators: dict[str, Indicator] = {}
        for name, stanza in stanzas.items():
            merged = _with_defaults(defaults, stanza) if isinstance(stanza, dict) else stanza
            indicator = self._validate(Indicator, file, merged, ("indicators", name))
            if indicator is not None:
                indicators[name] = indicator
        if not indicators:
            return
        family = self._validate(Family, file, {**data, "indicators": indicators})
        if family is None:
            return
        self._same_name(file, family.id, path.stem, "file")
        if family.theme != path.parent.name or family.theme not in THEMES:
            self.problems.append(
                file.problem(
                    ("theme",), f"theme {family.theme!r} is not its folder's, {path.parent.name!r}"
                )
            )
        self.families[f"{family.theme}/{family.id}"] = family
        for name, indicator in indicators.items():
            line = file.line(("indicators", name))
            if name in self.indicators:
                other = self.indicators[name]
                self.problems.append(
                    Problem(
                        file.path,
                        line,
                        f"indicator {name!r} is already in {other.file}:{other.line}",
                    )
                )
                continue
            self.indicators[name] = IndicatorEntry(name, family, indicator, file.path, line)

    def _read_suite(self, path: Path) -> None:
        file = self._read(path)
        suite = self._validate(Suite, file, file.data) if file else None
        if file is not None and suite is not None:
            key = str(path.relative_to(self.root / "expectations").with_suffix(""))
            self.suites[key] = (suite, file)

    # ── cross-checks ─────────────────────────────────────────────────────────────────────────

    @cached_property
    def variables(self) -> dict[str, tuple[FeedEntry, Variable]]:
        """Every variable by ``partner.name``."""
        return {
            entry.variable_id(name): (entry, variable)
            for entry in self.feeds.values()
            for name, variable in entry.feed.variables.items()
        }

    def _check_feeds(self) -> None:
        owners: dict[str, FeedEntry] = {}
        for entry in self.feeds.values():
            feed, file = entry.feed, entry.file
            for name, variable in feed.variables.items():
                at: Loc = ("variables", name)
                key = entry.variable_id(name)
                if key in owners:
                    message = f"variable {key} is already delivered by {owners[key].id}"
                    self.problems.append(file.problem(at, message))
                owners[key] = entry
                self._check_unit(file, (*at, "unit"), variable.unit)
                if variable.part_of is not None and variable.part_of not in feed.variables:
                    hint = nearest(variable.part_of, feed.variables)
                    self.problems.append(
                        file.problem((*at, "part_of"), f"no variable {variable.part_of!r} here{hint}")
                    )
                self._check_aggregation(entry, at, variable)
                for other in (variable.counted_by, *variable.largest):
                    if other is not None and other not in feed.variables:
                        hint = nearest(other, feed.variables)
                        self.problems.append(file.problem(at, f"no variable {other!r} here{hint}"))
            self._check_secrecy(entry)
            self._check_columns(entry)
            self._check_sums(entry)

    def _check_secrecy(self, entry: FeedEntry) -> None:
        rule = entry.feed.secrecy
        if rule is None:
            return
        for unit in rule.units or []:
            self._check_unit(entry.file, ("secrecy", "units"), unit)
        if rule.population and rule.population.variable not in self.variables:
            name = rule.population.variable
            message = f"no feed delivers {name!r}{nearest(name, self.variables)}"
            self.problems.append(entry.file.problem(("secrecy", "population"), message))

    def _check_sums(self, entry: FeedEntry) -> None:
        feed, file = entry.feed, entry.file
        for total, parts in feed.partitions:
            at: Loc = ("sums", total)
            for name in (total, *parts):
                if name not in feed.variables:
                    hint = nearest(name, feed.variables)
                    self.problems.append(file.problem(at, f"no variable {name!r} here{hint}"))
                elif self._unit_of(entry.variable_id(name))[1] not in ("count", "amount"):
                    self.problems.append(file.problem(at, f"{name} is not a count: it does not add up"))
            if len(set(parts)) < 2 or total in parts or len(set(parts)) < len(parts):
                self.problems.append(file.problem(at, f"{total}: give two different parts or more"))

    def _check_aggregation(self, entry: FeedEntry, at: Loc, variable: Variable) -> None:
        if variable.aggregation in ("sum", "none"):
            unit = self.units.get(variable.unit)
            if variable.aggregation == "sum" and unit and unit.kind not in ("count", "amount"):
                message = f"{variable.unit} does not add up: aggregation must be none or a weight"
                self.problems.append(entry.file.problem((*at, "aggregation"), message))
        elif variable.aggregation not in self.variables:
            hint = nearest(variable.aggregation, self.variables)
            message = f"aggregation: sum, none, or the variable that weighs the mean{hint}"
            self.problems.append(entry.file.problem((*at, "aggregation"), message))

    def _check_columns(self, entry: FeedEntry) -> None:
        feed, file = entry.feed, entry.file
        delivered: set[str] = set()
        seen: set[str] = set()
        for i, fmt in enumerate(feed.formats):
            if fmt.id in seen:
                self.problems.append(
                    file.problem(("formats", i, "id"), f"format {fmt.id!r} is given twice")
                )
            seen.add(fmt.id)
            columns = set(feed.columns_of(fmt))
            if fmt.unpivot is not None:
                columns = {fmt.unpivot.variable}
            for name in sorted(columns - feed.names):
                at: Loc = ("formats", i, "columns", name)
                self.problems.append(
                    file.problem(at, f"no variable {name!r} is declared{nearest(name, feed.names)}")
                )
            delivered |= columns
        for name in sorted(feed.names - delivered):
            self.problems.append(
                file.problem(("variables", name), f"no format has a column for variable {name!r}")
            )

    def _check_unit(self, file: YamlFile, at: Loc, unit: str) -> None:
        if unit not in self.units:
            message = f"unknown unit {unit!r}{nearest(unit, self.units)}"
            self.problems.append(file.problem(at, message))

    def _check_indicators(self) -> None:
        labels: dict[str, str] = {}
        formulas: dict[str, str] = {}
        for entry in self.indicators.values():
            self._check_indicator(entry)
            self._unique(entry, labels, entry.indicator.label.casefold(), "label")
            self._unique(entry, formulas, entry.indicator.parsed.canonical, "formula")

    def _unique(self, entry: IndicatorEntry, seen: dict[str, str], key: str, what: str) -> None:
        if key in seen:
            message = f"indicator {entry.id!r} has the same {what} as {seen[key]!r}"
            self.problems.append(Problem(entry.file, entry.line, message))
        seen.setdefault(key, entry.id)

    def _check_indicator(self, entry: IndicatorEntry) -> None:
        indicator, formula = entry.indicator, entry.indicator.parsed

        def report(message: str) -> None:
            self.problems.append(Problem(entry.file, entry.line, f"{entry.id}: {message}"))

        unknown = [v for v in formula.variables if v not in self.variables]
        for variable in unknown:
            if variable.split(".")[1] in self.indicators:
                report(f"{variable}: a formula is over variables, not over other indicators")
            else:
                report(f"no feed delivers {variable!r}{nearest(variable, self.variables)}")
        if indicator.unit not in self.units:
            report(f"unknown unit {indicator.unit!r}{nearest(indicator.unit, self.units)}")
        elif all(
            v in self.variables and self.variables[v][1].unit in self.units for v in formula.variables
        ):
            unit = self.units[indicator.unit]
            mismatch = unit_mismatch(formula, unit.kind, unit.id, unit.scale, self._unit_of)
            if mismatch:
                report(mismatch)
        if indicator.driving and indicator.driving not in formula.variables:
            report(f"driving variable {indicator.driving!r} is not in the formula")
        if indicator.access and not unknown and self.access_of(indicator) != indicator.access:
            report(f"access {indicator.access}: what it reads is for {self.access_of(indicator)} only")
        if formula.denominator and indicator.denominator is None:
            report("the formula divides: say the denominator in words")
        if not unknown:
            self._check_levels(entry, report)
        self._check_example(indicator, report)

    def unit_kind(self, variable: str) -> str:
        """Whether the variable counts, measures money, or is a level that does not add up."""
        return self.units[self.variables[variable][1].unit].kind

    def _unit_of(self, variable: str) -> tuple[str, str]:
        unit = self.variables[variable][1].unit
        return unit, self.units[unit].kind

    def _check_levels(self, entry: IndicatorEntry, report: Any) -> None:
        for variable in entry.indicator.parsed.variables:
            feed_entry, declared = self.variables[variable]
            delivered = set(feed_entry.feed.levels)
            if declared.aggregation != "none" and "commune" in delivered:
                delivered |= {"ept", "arrondissement", "departement"}
            missing = [level for level in entry.indicator.levels if level not in delivered]
            if missing:
                report(f"{variable} does not exist at level {', '.join(missing)}")

    def _check_example(self, indicator: Indicator, report: Any) -> None:
        wanted = {t.key for t in indicator.parsed.terms}
        given = set(indicator.example.inputs)
        if wanted != given:
            for name in sorted(wanted - given):
                report(f"the example lacks {name}")
            for name in sorted(given - wanted):
                report(f"the example has {name}, which is not in the formula{nearest(name, wanted)}")
            return
        value = indicator.parsed.evaluate(indicator.example.inputs)
        if value is None or abs(value - indicator.example.value) > 0.51 * 10**-indicator.decimals:
            report(f"the example's value is {indicator.example.value}, the formula gives {value}")

    def _check_suites(self) -> None:
        for key, (suite, file) in self.suites.items():
            if suite.extends is not None and suite.extends not in self.suites:
                message = f"no suite {suite.extends!r}{nearest(suite.extends, self.suites)}"
                self.problems.append(file.problem(("extends",), message))
            owner = key.removeprefix("partners/")
            if (
                key.startswith("partners/")
                and not owner.endswith("defaults")
                and owner not in self.feeds
            ):
                self.problems.append(file.problem((), f"no feed {owner!r}{nearest(owner, self.feeds)}"))
            self._check_family_suite(key, file)
        for required in ("indicators/defaults", "catalogue"):
            if required not in self.suites:
                path = Path("expectations", f"{required}.yaml")
                self.problems.append(Problem(path, 1, "the suite is missing"))
        for feed in self.feeds.values():
            if f"partners/{feed.id}" not in self.suites:
                message = f"no suite: expectations/partners/{feed.id}.yaml is missing"
                self.problems.append(feed.file.problem((), message))

    def _check_family_suite(self, key: str, file: YamlFile) -> None:
        """A suite of indicators is that of a family, or the one that all extend."""
        families = {f"indicators/{f.theme}/{f.id}" for f in self.families.values()}
        if not key.startswith("indicators/") or key == "indicators/defaults":
            return
        if key not in families:
            message = f"no family {key.removeprefix('indicators/')!r}{nearest(key, families)}"
            self.problems.append(file.problem((), message))

    def _keep(self, here: Deployment, departements: Sequence[str]) -> None:
        """Leave out the partners that this deployment does not have, and what reads their figures.

        A code that no table knows is a mistake: taken at its word, it would leave a partner out in
        silence.
        """
        perimeters = [
            (p.perimeter, Path(f"assets/partners/{p.id}/partner.yaml")) for p in self.partners.values()
        ]
        if here.perimeter != "all":
            perimeters.append(
                (
                    here.perimeter,
                    Path(os.environ.get("ODDS_DEPLOYMENT") or "resources/deployments/local.yaml"),
                )
            )
        for codes, path in perimeters:
            for code in set(codes) - set(departements):
                message = f"perimeter: no département {code!r} in territories.csv"
                self.problems.append(Problem(path, 1, message + nearest(code, departements)))
        known = set(self.territories.departements)
        gone = {
            partner.id
            for partner in self.partners.values()
            if not here.takes(partner.id) or (partner.perimeter and not known & set(partner.perimeter))
        }
        if not gone:
            return
        reads = {
            e.id: {v.split(".")[0] for v in e.indicator.parsed.variables}
            for e in self.indicators.values()
        }
        self.indicators = {name: e for name, e in self.indicators.items() if not reads[name] & gone}
        self.feeds = {name: e for name, e in self.feeds.items() if e.partner.id not in gone}
        self.partners = {name: partner for name, partner in self.partners.items() if name not in gone}
        self.__dict__.pop("variables", None)

    def territories_of(self, entry: FeedEntry) -> Territories:
        """The territories that a feed speaks of: its partner's perimeter."""
        perimeter = tuple(entry.partner.perimeter)
        if not perimeter:
            return self.territories
        if perimeter not in self._perimeters:
            self._perimeters[perimeter] = self.territories.within(perimeter)
        return self._perimeters[perimeter]

    # ── views ────────────────────────────────────────────────────────────────────────────────

    def rules(self, key: str) -> dict[str, Rule]:
        """The rules of a suite with those it extends; a rule set to null is left out."""
        suite, _ = self.suites[key]
        inherited = self.rules(suite.extends) if suite.extends else {}
        merged: dict[str, Rule | None] = {**inherited, **suite.rules}
        return {name: rule for name, rule in merged.items() if rule is not None}

    def access_of(self, indicator: Indicator) -> Access:
        """Who may read it: the strictest of its own class and those of all that it reads."""
        own = [indicator.access] if indicator.access else []
        return strictest([*own, *self.partner_access_of(indicator).values()])

    def partner_access_of(self, indicator: Indicator) -> dict[str, Access]:
        """For each partner the indicator reads, the strictest class of what it reads of it."""
        read = set(indicator.parsed.variables)
        read |= {self.variables[v][1].aggregation for v in read} - {"sum", "none"}
        entries = [self.variables[v][0] for v in sorted(read)]
        return {
            partner: strictest(e.access for e in entries if e.partner.id == partner)
            for partner in sorted({e.partner.id for e in entries})
        }

    def feed_of(self, indicator: Indicator) -> FeedEntry:
        """The feed whose calendar the indicator follows."""
        return self.variables[indicator.driving_variable][0]
