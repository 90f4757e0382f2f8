-- Values of the formulas of several products: sums of them, divided by others, or set side by side over the parts of
-- a territory. A value is hidden when one product is, and has no meaning over zero or less.
CREATE OR REPLACE TEMP VIEW composed AS
WITH summed AS (
    SELECT whole, any_value(over) AS over, any_value(whole_factor) AS factor, p, t,
           any_value(territory) AS territory, any_value(level) AS level, any_value(geography) AS geography,
           CASE WHEN count(value) = any_value(products) THEN sum(value) FILTER (WHERE side = 'numerator') END AS above,
           CASE WHEN count(value) = any_value(products) THEN sum(value) FILTER (WHERE side = 'denominator') END AS below,
           bool_or(side = 'denominator') AS divides, count(value) = any_value(products) AS complete,
           max(obs_status) FILTER (WHERE value IS NULL) AS why,
           max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
           hidden_by_of(hidden_by) AS hidden_by, min(oldest_t) AS oldest_t, bool_or(converted) AS converted,
           reserves_of(reserve) AS reserve
    FROM products WHERE whole IS NOT NULL AND over <> 'dissimilarity' GROUP BY whole, p, t
), ratios AS (
    SELECT whole, over, p, t, territory, level, geography,
           CASE WHEN NOT complete THEN NULL WHEN NOT divides THEN factor * above
                WHEN below > 0 THEN factor * above / below END AS value,
           above, below, why, status, hidden_by, oldest_t, converted, reserve
    FROM summed
), ranked AS (
    SELECT * REPLACE (CASE WHEN value IS NOT NULL AND count(value) OVER peers > 1
               THEN 100 * (rank() OVER (peers ORDER BY value) - 1) / (count(value) OVER peers - 1) END AS value,
           NULL AS above, NULL AS below)
    FROM ratios WHERE over = 'percentile_rank'
    WINDOW peers AS (PARTITION BY whole, t, level, geography, value IS NULL)
), shares AS (
    SELECT q.whole, q.over, q.whole_factor, w.whole AS p, w.part, w.parts, q.t, q.side, q.value, q.obs_status,
           q.hidden_by, q.oldest_t, q.converted, q.reserve,
           sum(q.value) OVER (PARTITION BY q.whole, w.whole, q.t, q.side) AS total
    FROM products q JOIN wanted w ON w.part = q.p AND NOT w.across WHERE q.over = 'dissimilarity'
), gaps AS (
    SELECT whole, any_value(over) AS over, any_value(whole_factor) AS factor, p, t, part, any_value(parts) AS parts,
           CASE WHEN count(value) = 2 AND min(total) > 0
                THEN abs(sum(CASE WHEN side = 'numerator' THEN value ELSE -value END / total)) END AS gap,
           max(obs_status) FILTER (WHERE value IS NULL) AS why, max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
           hidden_by_of(hidden_by) AS hidden_by, min(oldest_t) AS oldest_t, bool_or(converted) AS converted,
           reserves_of(reserve) AS reserve
    FROM shares GROUP BY whole, p, t, part
), apart AS (
    SELECT whole, any_value(over) AS over, p, t,
           CASE WHEN count(gap) = any_value(parts) THEN any_value(factor) * sum(gap) / 2 END AS value,
           CASE WHEN count(*) < any_value(parts) THEN 'O' ELSE max(why) END AS why, max(status) AS status,
           hidden_by_of(hidden_by) AS hidden_by, min(oldest_t) AS oldest_t, bool_or(converted) AS converted,
           reserves_of(reserve) AS reserve
    FROM gaps GROUP BY whole, p, t
), every AS (
    FROM ratios WHERE over = ''
    UNION ALL
    FROM ranked
    UNION ALL
    SELECT a.whole, a.over, a.p, a.t, places.territory, places.level, places.geography, a.value, NULL, NULL,
           a.why, a.status, a.hidden_by, a.oldest_t, a.converted, a.reserve
    FROM apart a JOIN places ON places.p = a.p
    SEMI JOIN asked_levels l ON l.indicator = a.whole AND l.level = places.level
)
SELECT whole AS indicator, t, territory, level, geography, value,
       CASE WHEN hidden_by IS NOT NULL THEN 'Q' WHEN value IS NOT NULL THEN status
            ELSE coalesce(why, 'M') END AS obs_status,
       hidden_by, above AS numerator, below AS denominator, oldest_t, converted, reserve
FROM every
