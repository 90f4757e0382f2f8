"""A small observatory of simulated deliveries, built once for all the tests of the extranet."""

from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home
from tests.judged import received_and_judged

FEEDS = {
    "insee/populations_legales": "donnees_communes",
    "insee/rp_activite": "base-cc-emploi-pop-active",
    "drihl/rpls": "RPLS",
    "drihl/sitadel": "sitadel",
    "caf/allocataires": "caf_allocataires",
    "caf/rsa": "caf_rsa",
    "cpam/assures": "cpam_assures",
    "prefecture/expulsions": "prefecture_expulsions",
}
"""Feeds of every class of access: public, members, partners (of two partners)."""
LATER = "caf_rsa_2024-12.csv"
"""A delivery kept for a second release."""


def build(project: Project, home: Home, folder: Path) -> None:
    """Release 1; ``folder`` keeps the deliveries."""
    write_deliveries(project, folder, "2024-09", "2024-12", faults=False, feeds=FEEDS)
    chosen = [
        path
        for path in sorted(folder.iterdir())
        if path.name.startswith(tuple(FEEDS.values())) and path.name != LATER
    ]
    received_and_judged(project, home, chosen)
    assert publish(project, home).number == 1


def publish_next(project: Project, home: Home, folder: Path) -> int:
    """One more release, with one more month of one feed."""
    list(receive(project, home, [folder / LATER]))
    judge_pending(project, home, "caf/rsa")
    return publish(project, home).number
