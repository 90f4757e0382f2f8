"""What a person writes into releases that never change: no figure, nobody's name."""

import re

import pytest

from odds_pipeline.quality.reserve import objection, reserve


@pytest.mark.parametrize(
    ("reason", "role", "why"),
    [
        ("la commune 93030 a bien 3 foyers", "chargé d’études de la CAF", "holds a figure"),
        ("il y a bien trois foyers à Dugny", "chargé d’études de la CAF", r"holds a figure \(trois\)"),
        ("confirmé par le producteur", "Mme Dupont, CAF", "names a person"),
        ("confirmé par M. Dupont", "CAF", "names a person"),
        ("confirmé", "dupont@caf.fr", "names a person"),
    ],
)
def test_a_figure_or_a_person_is_refused(reason: str, role: str, why: str) -> None:
    found = objection(reason, role)
    assert found is not None
    assert re.search(why, found)


def test_a_reason_and_a_role_are_what_readers_see() -> None:
    given = (
        "hausse confirmée par le producteur, à la suite de l’ouverture d’une résidence",
        "chargé d’études de la CAF",
    )
    assert objection(*given) is None
    assert reserve(*given).endswith(f"Motif : {given[0]} ({given[1]}).")
