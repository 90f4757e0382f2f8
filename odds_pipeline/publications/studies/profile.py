"""What distinguishes the classes of a study, in the units of its indicators: one table for all."""

import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.publications.studies.study import StudyResult

SIGNIFICANT = 1.96
"""Beyond this v-test, a class's mean differs from the whole's with a risk under 5 %, for one test."""


def profile(project: Project, result: StudyResult) -> pd.DataFrame:
    """One row a class and indicator; means are plain means of communes, of values as published.

    The v-tests were made on the table turned so that more is more fragile: they are turned back.
    """
    rows = []
    classes = result.typology.classes
    for test in result.typology.tests.to_dict("records"):
        name, kind = str(test["indicator"]), int(test["class"])
        sheet = project.indicators[name].indicator
        values = result.values.loc[classes.index, name]
        low = result.study.indicators[name].fragile == "low"
        rows.append(
            {
                "classe": kind,
                "indicateur": name,
                "libelle": sheet.label,
                "periode": result.months[name],
                "unite": project.units[sheet.unit].label,
                "moyenne_simple_de_la_classe": values[classes == kind].mean(),
                "moyenne_simple_des_communes": values.mean(),
                "v_test": -test["v"] if low else test["v"],
            }
        )
    return pd.DataFrame(rows)
