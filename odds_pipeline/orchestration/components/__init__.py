"""Dagster components: the declarations of a folder become assets, checks, schedules and sensors."""

from odds_pipeline.orchestration.components.contract import Contract
from odds_pipeline.orchestration.components.indicator_families import IndicatorFamilies
from odds_pipeline.orchestration.components.partner_feeds import PartnerFeeds
from odds_pipeline.orchestration.components.portals import PublicPortals
from odds_pipeline.orchestration.components.publications import CommitteePacks, PortraitSocial, Studies
from odds_pipeline.orchestration.components.reception import Reception
from odds_pipeline.orchestration.components.recueil import Recueil
from odds_pipeline.orchestration.components.watch import Watch
from odds_pipeline.orchestration.components.whole import WholeMonth
from odds_pipeline.orchestration.components.workers import Workers

__all__ = [
    "CommitteePacks",
    "Contract",
    "IndicatorFamilies",
    "PartnerFeeds",
    "PortraitSocial",
    "PublicPortals",
    "Reception",
    "Recueil",
    "Studies",
    "Watch",
    "WholeMonth",
    "Workers",
]
