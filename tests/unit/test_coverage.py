"""What a release covers, and which public file would give the communes most."""

import duckdb

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.coverage import ENOUGH, coverage, first_wanted, promises

CRIME = "prefecture/delinquance_communes"
EVOL = "insee/rp_population"


def test_a_public_file_is_named_for_what_the_communes_lack(project: Project) -> None:
    """One département's crime is known, and the communes' legal populations; no other figure is."""
    rows = coverage(project, _release())
    found = {promise.feed: promise for promise in promises(rows)}
    known = {row.indicator for row in rows if row.levels.get("commune", 0) >= ENOUGH}
    assert known == {"population_municipale"}
    assert "violences_sexuelles" in found[CRIME].alone  # its one variable is in the communal base
    assert "part_65_ans_plus" in found[EVOL].alone
    assert "taux_natalite" not in found[EVOL].alone + found[EVOL].together  # births are elsewhere
    order = first_wanted(rows, 99)
    assert sum(gain for _, gain in order) == len({i for p in found.values() for i in p.alone})
    assert [gain for _, gain in order] == sorted((gain for _, gain in order), reverse=True)
    lacking = {row.indicator: row.wanted for row in rows}
    assert lacking["population_municipale"] == {}
    assert lacking["domiciliations"] == {"udccas.domiciliations": ()}  # from the partner alone
    assert not any("domiciliations" in p.alone + p.together for p in found.values())


def test_a_file_that_was_met_and_does_not_suffice_is_not_named(project: Project) -> None:
    rows = coverage(project, _release(crime_of_two_communes=True))
    assert CRIME not in {p.feed for p in promises(rows) if "violences_sexuelles" in p.alone + p.together}


def _release(crime_of_two_communes: bool = False) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        """
        CREATE TABLE deliveries AS SELECT * FROM (VALUES
            ('a', 'insee/populations_legales', false), ('b', 'prefecture/delinquance', false),
            ('c', 'prefecture/delinquance_communes', false)) t(id, feed, simulated);
        CREATE TABLE observations AS
        SELECT 'insee.population_municipale' AS variable, '2021-01' AS month, 'commune' AS level,
            (93000 + i)::VARCHAR AS territory, 1000.0 AS value, 'a' AS delivery FROM range(30) r(i)
        UNION ALL
        SELECT 'prefecture.violences_sexuelles', '2022-12', 'departement', '93', 2444.0, 'b';
        CREATE TABLE indicator_values AS
        SELECT 'population_municipale' AS indicator, level, territory, month, value FROM observations
        WHERE delivery = 'a'
        UNION ALL SELECT 'violences_sexuelles', 'departement', '93', '2022-12', 2444.0;
        """
    )
    if crime_of_two_communes:
        connection.execute(
            "INSERT INTO observations SELECT 'prefecture.violences_sexuelles', '2022-12', 'commune', "
            "(93000 + i)::VARCHAR, 9.0, 'c' FROM range(2) r(i)"
        )
    return connection
