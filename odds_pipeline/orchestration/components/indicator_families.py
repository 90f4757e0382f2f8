"""Indicator families: every indicator is an asset; those of one rhythm are computed together."""

from collections.abc import Iterator

import dagster as dg
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.project import FeedEntry, IndicatorEntry
from odds_pipeline.indicators.compute import compute
from odds_pipeline.orchestration.components.shared import (
    SIMULATED,
    code_reference,
    feed_key,
    indicator_key,
    indicators_job,
    job_of_rhythm,
    opened,
    partitions_of,
    project,
    rhythm_tag,
    simulated_feeds,
    tried_again,
)
from odds_pipeline.orchestration.dagster_internals.jobs import AssetJob
from odds_pipeline.orchestration.dagster_internals.recording import record
from odds_pipeline.storage.store import transaction


def _feeds(entry: IndicatorEntry) -> dict[str, FeedEntry]:
    """Feeds that deliver what the formula reads, by id."""
    variables = entry.indicator.parsed.variables
    return {feed.id: feed for v in variables for feed in project().sources_of(v)}


def _deps(entry: IndicatorEntry, driving: FeedEntry) -> list[dg.AssetDep]:
    """Another calendar's partition counts when its window holds the month."""
    same = partitions_of(driving.feed.calendar)
    mapping = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
    return [
        dg.AssetDep(
            feed_key(feed.id),
            partition_mapping=None if partitions_of(feed.feed.calendar) == same else mapping,
        )
        for feed in _feeds(entry).values()
    ]


def _spec(entry: IndicatorEntry, driving: FeedEntry) -> dg.AssetSpec:
    indicator = entry.indicator
    unit = project().units[indicator.unit]
    return dg.AssetSpec(
        indicator_key(entry.path),
        deps=_deps(entry, driving),
        description=f"{indicator.label} ({unit.label})\n\n{indicator.definition}\n\n"
        f"Formule : `{indicator.formula}`\n\nLimites : {indicator.limits}",
        group_name=entry.family.theme,
        owners=[f"team:{driving.partner.id}"],
        kinds={"duckdb", "sql"},
        tags={
            "theme": entry.family.theme,
            "family": entry.family.id,
            **rhythm_tag(driving.feed.calendar.rhythm),
        },
        metadata={
            "unit": indicator.unit,
            "theme": project().observatory.themes[entry.family.theme],
            "dagster/table_name": "indicator_values",
            **code_reference(entry.file, entry.line),
        },
        skippable=True,
    )


def indicator_assets(name: str, driven: list[tuple[IndicatorEntry, FeedEntry]]) -> dg.AssetsDefinition:
    """The indicators whose driving feeds share their months: one step computes any number of them."""
    entries = [entry for entry, _ in driven]
    by_key = {indicator_key(entry.path): entry for entry in entries}

    @dg.multi_asset(
        name=name,
        specs=[_spec(entry, driving) for entry, driving in driven],
        partitions_def=partitions_of(driven[0][1].feed.calendar),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def values(
        context: dg.AssetExecutionContext, warehouse: DuckDBResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        window = context.partition_key_range
        keys = sorted(context.selected_asset_keys, key=lambda key: key.path)
        names = [by_key[key].id for key in keys]
        with tried_again(), opened(warehouse) as connection, transaction(connection):
            counts = compute(project(), connection, names, window.start, window.end)
            simulated = simulated_feeds(connection)
        marks = {e.id: SIMULATED if simulated & _feeds(e).keys() else {} for e in entries}
        paths = {entry.id: indicator_key(entry.path) for entry in entries}
        # Only months that have figures are materialised: a month without delivery stays grey.
        record(
            context,
            [
                dg.AssetMaterialization(
                    paths[indicator],
                    partition=month,
                    metadata={
                        "dagster/partition_row_count": rows,
                        "values": filled,
                        "missing": rows - filled,
                        **marks[indicator],
                    },
                )
                for (indicator, month), (rows, filled) in sorted(counts.items())
            ],
        )
        yield from ()

    return values


def job_of(rhythm: str) -> AssetJob:
    """Computes the indicators of a rhythm, all of them or some."""
    words = f"Compute the indicators whose driving feed has the rhythm {rhythm}."
    return job_of_rhythm(indicators_job(rhythm), "indicators", rhythm, words)


class IndicatorFamilies(dg.Component, dg.Model, dg.Resolvable):
    """Every family under ``folder``; one step computes what has the same months."""

    folder: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        groups: dict[str, list[tuple[IndicatorEntry, FeedEntry]]] = {}
        for entry in project().indicators.values():
            if entry.file.as_posix().startswith(self.folder):
                driving = project().feed_of(entry.indicator)
                groups.setdefault(driving.feed.calendar.rhythm, []).append((entry, driving))
        return dg.Definitions(
            assets=[indicator_assets(f"compute_{name}", own) for name, own in groups.items()]
        )
