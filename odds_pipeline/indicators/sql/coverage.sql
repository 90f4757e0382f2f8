-- `indicator_values`, `observations` and `deliveries` are those of a release; `reads` lists the variables of each
-- indicator. An indicator that reads a simulated figure is not covered: its values are not real ones.
WITH simulated AS (
    SELECT DISTINCT r.indicator FROM reads r JOIN observations o USING (variable)
    JOIN deliveries d ON d.id = o.delivery WHERE d.simulated
)
SELECT indicator, level, count(DISTINCT territory) AS territories, max(month) AS latest
FROM indicator_values ANTI JOIN simulated USING (indicator)
WHERE value IS NOT NULL GROUP BY ALL
