-- `computed` less the values that their own rule hides, though every figure they rest on may be read. `value_rules`
-- has the least numerator and denominator of each indicator, or of each of the `products` that one is composed of;
-- 0: any. Makes `protected`. The mark is one of its own: N, not for publication; C would tell that a figure is a
-- small count. Ranks are taken anew, among the values that are left.
CREATE OR REPLACE TEMP TABLE protected AS
WITH small AS (
    SELECT DISTINCT q.whole AS indicator, q.t, q.territory, q.geography
    FROM products q JOIN value_rules r USING (indicator)
    WHERE q.whole IS NOT NULL AND (
        coalesce(q.numerator <> 0 AND abs(q.numerator) < r.least_numerator, false)
        OR coalesce(q.denominator > 0 AND q.denominator < r.least_denominator, false))
), judged AS (
    SELECT c.*, r.ranks, c.hidden_by IS NULL AND c.value IS NOT NULL AND (
               coalesce(c.numerator <> 0 AND abs(c.numerator) < r.least_numerator, false)
               OR coalesce(c.denominator > 0 AND c.denominator < r.least_denominator, false)
               OR (c.indicator, c.month, c.territory, c.geography) IN (
                   SELECT s.indicator, m.month, s.territory, s.geography FROM small s JOIN months m USING (t))
           ) AS hides
    FROM computed c JOIN value_rules r USING (indicator)
), left_over AS (
    SELECT j.* EXCLUDE hides REPLACE (
        CASE WHEN hides THEN NULL ELSE value END AS value,
        CASE WHEN hides THEN 'Q' ELSE obs_status END AS obs_status,
        CASE WHEN hides THEN 'N' ELSE conf_status END AS conf_status,
        CASE WHEN hides THEN 'resultat' ELSE hidden_by END AS hidden_by,
        CASE WHEN hides THEN NULL ELSE numerator END AS numerator,
        CASE WHEN hides THEN NULL ELSE denominator END AS denominator)
    FROM judged j
)
SELECT * EXCLUDE ranks FROM left_over WHERE NOT ranks
UNION ALL
SELECT * EXCLUDE ranks REPLACE (CASE WHEN value IS NOT NULL
    THEN 100 * (rank() OVER (peers ORDER BY value) - 1) / nullif(count(*) OVER peers - 1, 0) END AS value)
FROM left_over WHERE ranks WINDOW peers AS (PARTITION BY indicator, month, level, geography, value IS NULL)
