"""What the event log last recorded of an asset's partitions, asked of all of them at once.

Dagster's public API answers for one partition a call, or gives whole events. Leans on the event log of
Dagster 1.13.27.
"""

from collections.abc import Collection

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.data_version import DATA_VERSION_TAG as DATA_VERSION_TAG

Target = AssetCheckEvaluationTargetMaterializationData
_MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION


def versions(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str]
) -> dict[str, str]:
    """The version that each partition was last materialised with."""
    tags = instance.event_log_storage.get_latest_tags_by_partition(
        key, _MATERIALIZED, [DATA_VERSION_TAG], asset_partitions=list(partitions)
    )
    return {partition: own[DATA_VERSION_TAG] for partition, own in tags.items()}


def targets(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str]
) -> dict[str, Target]:
    """The last materialisation of each partition, whichever run made it, for a check to point at."""
    storage = instance.event_log_storage
    ids = storage.get_latest_storage_id_by_partition(key, _MATERIALIZED, set(partitions))
    if not ids:
        return {}
    records = storage.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, storage_ids=list(ids.values())), limit=len(ids)
    ).records
    return {
        str(r.partition_key): Target(storage_id=r.storage_id, run_id=r.run_id, timestamp=r.timestamp)
        for r in records
    }
