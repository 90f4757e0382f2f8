-- Creates, in the database in use, in_geography(2024): every value that exists in that geography,
-- from indicator_values, converted_values and territories of a release.
CREATE MACRO in_geography(wanted) AS TABLE
WITH changed AS (
    -- Codes whose meaning or existence differs from one geography to another; a neighbourhood is one
    -- thing as long as it exists.
    SELECT DISTINCT territory FROM (
        SELECT territory FROM converted_values
        UNION ALL
        SELECT territory FROM territories WHERE communes = '' GROUP BY territory
        HAVING count(DISTINCT geography) < (SELECT count(DISTINCT geography) FROM territories)
    )
)
SELECT * FROM indicator_values WHERE geography = wanted
UNION ALL BY NAME
SELECT * REPLACE (wanted AS geography) FROM indicator_values
WHERE geography <> wanted AND territory NOT IN (FROM changed)
UNION ALL BY NAME
SELECT * FROM converted_values WHERE geography = wanted
