"""Which charts the site draws of an indicator."""

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.drawing import Atlas, indicator_map
from odds_pipeline.storage.home import Home

SHEET = {
    "label": "Taux",
    "short_label": "Taux",
    "symbol": "%",
    "decimals": 1,
    "change_unit": "points",
    "direction": "neutral",
    "to_the_unit": False,
}


@pytest.mark.parametrize(
    ("kind", "known", "drawn"), [("rate", 3, False), ("rate", 4, True), ("count", 3, True)]
)
def test_three_rates_make_no_map(
    project: Project, home: Home, kind: str, known: int, drawn: bool
) -> None:
    atlas = Atlas(project.territories, project.root / "resources/reference", home)
    codes = sorted(atlas.ground(2024).shapes)
    rows = [
        {
            "territory": code,
            "level": "commune",
            "geography": 2024,
            "value": float(i) if i < known else None,
            "departement_value": 2.0,
            "obs_status": "A" if i < known else "Q",
            "conf_status": "F" if i < known else "C",
        }
        for i, code in enumerate(codes[:-2])
    ]
    svg = indicator_map(atlas, SHEET | {"kind": kind}, rows, None)
    assert (svg is not None) is drawn
    if svg:  # two communes are in no file: that is not a secret
        assert f"non livré (2), secret ({len(codes) - 2 - known})" in svg
        assert svg.count(" : non livré</title>") == 2
