-- The communes that have both indicators in one year and geography: the latest such pair of months, the nearest
-- to each other. `indicator_values` is the view's.
WITH across AS (
    SELECT territory, geography, month, value, substr(month, 1, 4) AS year FROM indicator_values
    WHERE indicator = $x AND level = 'commune' AND value IS NOT NULL
),
up AS (
    SELECT territory, geography, month, value, substr(month, 1, 4) AS year FROM indicator_values
    WHERE indicator = $y AND level = 'commune' AND value IS NOT NULL
),
years AS (
    SELECT year, geography FROM across SEMI JOIN up USING (territory, geography, year)
    GROUP BY ALL HAVING count(DISTINCT territory) >= $least
),
latest AS (FROM years ORDER BY year DESC, geography DESC LIMIT 1),
pairs AS (
    SELECT a.month AS x_month, u.month AS y_month, a.geography, a.territory, a.value AS x, u.value AS y
    FROM across a JOIN up u USING (territory, geography, year) SEMI JOIN latest USING (year, geography)
),
chosen AS (
    SELECT x_month, y_month FROM pairs GROUP BY x_month, y_month HAVING count(*) >= $least
    ORDER BY abs(CAST(substr(x_month, 6) AS INTEGER) - CAST(substr(y_month, 6) AS INTEGER)),
             x_month DESC, y_month DESC LIMIT 1
)
FROM pairs SEMI JOIN chosen USING (x_month, y_month) ORDER BY territory
