"""What a project folder declares, and what can be asked of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from odds_pipeline.declarations.access import Access, strictest
from odds_pipeline.declarations.correction import Correction
from odds_pipeline.declarations.feed import Break, Feed, FeedBreak, Variable
from odds_pipeline.declarations.indicator import Family, Indicator
from odds_pipeline.declarations.observatory import Observatory
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.portal import Portal
from odds_pipeline.declarations.secrecy import Secrecy
from odds_pipeline.declarations.suite import Rule, Suite
from odds_pipeline.declarations.units import Unit
from odds_pipeline.declarations.yaml_file import YamlFile
from odds_pipeline.geography.territories import Territories

DEFAULT_SUITE = "partners/defaults"
"""The suite of all deliveries; that of a feed, if it has one, adds to it or changes it."""


@dataclass(frozen=True)
class FeedEntry:
    """A feed with its partner, the file that declares it and the known errors of its source.

    ``lent`` names the variables of other contracts that this one is a source of.
    """

    partner: Partner
    feed: Feed
    file: YamlFile
    corrections: tuple[Correction, ...] = ()
    lent: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        return f"{self.partner.id}/{self.feed.id}"

    @property
    def secrecy(self) -> Secrecy:
        return self.feed.secrecy or self.partner.secrecy

    @property
    def access(self) -> Access:
        return self.feed.access or self.partner.access

    @property
    def own(self) -> dict[str, Variable]:
        """The variables that this contract defines."""
        return {name: v for name, v in self.feed.variables.items() if name not in self.lent}

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


@dataclass(frozen=True)
class Declared:
    """The declarations of one project folder.

    ``failed`` are the files of which something could not be read, so that what they would have
    declared is unknown.
    """

    root: Path
    observatory: Observatory
    territories: Territories
    units: dict[str, Unit]
    partners: dict[str, Partner] = field(default_factory=dict)
    feeds: dict[str, FeedEntry] = field(default_factory=dict)
    indicators: dict[str, IndicatorEntry] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    suites: dict[str, tuple[Suite, YamlFile]] = field(default_factory=dict)
    failed: frozenset[Path] = frozenset()
    portals: dict[str, Portal] = field(default_factory=dict)

    @cached_property
    def variables(self) -> dict[str, tuple[FeedEntry, Variable]]:
        """Every variable by ``partner.name``."""
        return {
            entry.variable_id(name): (entry, variable)
            for entry in self.feeds.values()
            for name, variable in entry.own.items()
        }

    @cached_property
    def _delivered(self) -> dict[str, set[str]]:
        return {feed: entry.feed.delivered for feed, entry in self.feeds.items()}

    def sources_of(self, variable: str) -> list[FeedEntry]:
        """The contracts that deliver a variable, the preferred one first."""
        owner, _ = self.variables[variable]
        if not owner.feed.sources:
            return [owner]
        name = variable.partition(".")[2]
        ids = (f"{owner.partner.id}/{source}" for source in owner.feed.sources)
        return [owner, *(self.feeds[feed] for feed in ids if name in self._delivered.get(feed, ()))]

    @cached_property
    def _territories_of_partners(self) -> Mapping[str, Territories]:
        perimeters = {tuple(partner.perimeter) for partner in self.partners.values()}
        within = {codes: self.territories.within(codes) for codes in perimeters if codes}
        return {
            partner.id: within.get(tuple(partner.perimeter), self.territories)
            for partner in self.partners.values()
        }

    def territories_of(self, entry: FeedEntry) -> Territories:
        """The territories that a feed speaks of: its partner's perimeter."""
        return self._territories_of_partners[entry.partner.id]

    def unit_kind(self, variable: str) -> str:
        """Whether the variable counts, measures money, or is a level that does not add up."""
        return self.units[self.variables[variable][1].unit].kind

    def threshold_of(self, variable: str) -> int:
        """Smallest count of the variable that may be published; 0 where no rule applies to its unit."""
        entry, declared = self.variables[variable]
        rule = entry.secrecy
        concerned = rule.units is None or declared.unit in rule.units
        return rule.threshold if concerned and self.units[declared.unit].kind == "count" else 0

    def rules(self, key: str) -> dict[str, Rule]:
        """The rules of a suite with those it extends; a rule set to null is left out."""
        suite, _ = self.suites[key]
        inherited = self.rules(suite.extends) if suite.extends else {}
        merged: dict[str, Rule | None] = {**inherited, **suite.rules}
        return {name: rule for name, rule in merged.items() if rule is not None}

    @cached_property
    def shared_rules(self) -> dict[str, Rule]:
        """The rules that every delivery follows."""
        return self.rules(DEFAULT_SUITE)

    def rules_of(self, entry: FeedEntry) -> dict[str, Rule]:
        """The rules of a feed's deliveries: those that all share, unless its own suite changes them."""
        suite, _ = self.suites.get(f"partners/{entry.id}", (None, None))
        if suite is not None and suite.extends != DEFAULT_SUITE:
            return self.rules(f"partners/{entry.id}")
        merged: dict[str, Rule | None] = {**self.shared_rules, **(suite.rules if suite else {})}
        return {name: rule for name, rule in merged.items() if rule is not None}

    @cached_property
    def common_fingerprint(self) -> str:
        """Of what all figures rest on: territories and units."""
        return hashlib.sha256(repr((self.territories, sorted(self.units.items()))).encode()).hexdigest()

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """By feed, a fingerprint of all that its deliveries are read and audited by."""
        shares: dict[str, list[str]] = {feed: [] for feed in self.feeds}
        for one in self.indicators.values():
            formula = one.indicator.parsed
            for feed in {source.id for v in formula.variables for source in self.sources_of(v)}:
                shares[feed].append(repr((one.id, one.indicator.unit, formula)))
        found = {}
        for feed, entry in self.feeds.items():
            own = (entry.partner, entry.feed, entry.corrections, self.rules_of(entry), shares[feed])
            found[feed] = hashlib.sha256(repr((own, self.common_fingerprint)).encode()).hexdigest()
        return found

    @cached_property
    def weights(self) -> dict[str, str]:
        """The variable that weighs the mean of each variable that is averaged over territories."""
        aggregations = {name: variable.aggregation for name, (_, variable) in self.variables.items()}
        return {name: how for name, how in aggregations.items() if how not in ("sum", "none")}

    def breaks_of(self, indicator: Indicator) -> list[Break]:
        """Every break of its series in order, one a month: its own and those of all that it reads."""
        every = [*indicator.breaks, *self.inherited_breaks(indicator)]
        return sorted({b.month: b for b in reversed(every)}.values(), key=lambda b: b.month)

    def inherited_breaks(self, indicator: Indicator) -> list[FeedBreak]:
        """The breaks that the contracts declare for the variables of its formula."""
        return [b for v in indicator.parsed.variables for b in self.breaks_of_variable[v]]

    @cached_property
    def breaks_of_variable(self) -> dict[str, list[FeedBreak]]:
        """The breaks of each variable, whichever source delivers it."""
        return {
            name: [
                b for one in self.sources_of(name) for b in one.feed.breaks_of(name.partition(".")[2])
            ]
            for name in self.variables
        }

    def access_of(self, indicator: Indicator) -> Access:
        """Who may read it: the strictest of its own class and those of all that it reads."""
        own = [indicator.access] if indicator.access else []
        return strictest([*own, *self.partner_access_of(indicator).values()])

    def partner_access_of(self, indicator: Indicator) -> dict[str, Access]:
        """For each partner the indicator reads, the strictest class of what it reads of it."""
        read = set(indicator.parsed.variables)
        read |= {self.variables[v][1].aggregation for v in read} - {"sum", "none"}
        entries = [self.variables[v][0] for v in sorted(read & self.variables.keys())]
        return {
            partner: strictest(e.access for e in entries if e.partner.id == partner)
            for partner in sorted({e.partner.id for e in entries})
        }

    def feed_of(self, indicator: Indicator) -> FeedEntry:
        """The feed whose calendar the indicator follows."""
        return self.variables[indicator.driving_variable][0]
