-- Values of the formulas of several products: sums of them, divided by others, or set side by side over the parts of
-- a territory (`inside`). A value is hidden when one product is, and has no meaning over zero or less.
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
    FROM products WHERE whole IS NOT NULL AND over IN ('', 'percentile_rank') GROUP BY whole, p, t
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
), pairs AS (
    -- What the two products of a formula give of each part.
    SELECT q.whole, any_value(q.over) AS over, any_value(q.whole_factor) AS factor, any_value(q.low) AS low,
           any_value(q.high) AS high, w.whole AS p, w.part, any_value(w.parts) AS parts, q.t,
           sum(q.value) FILTER (WHERE q.side = 'numerator') AS one, sum(q.value) FILTER (WHERE q.side = 'denominator') AS other,
           count(q.value) = 2 AS known, max(q.obs_status) FILTER (WHERE q.value IS NULL) AS why,
           max(q.obs_status) FILTER (WHERE q.value IS NOT NULL) AS status, hidden_by_of(q.hidden_by) AS hidden_by,
           min(q.oldest_t) AS oldest_t, bool_or(q.converted) AS converted, reserves_of(q.reserve) AS reserve
    FROM products q JOIN inside w ON w.part = q.p
    WHERE q.over IN ('dissimilarity', 'concentration', 'share_in_class') GROUP BY q.whole, w.whole, w.part, q.t
), spread AS (
    SELECT *, sum(one) OVER every_part AS ones, sum(other) OVER every_part AS others,
           -- Lorenz: parts in the order of what they have of the one for the other.
           sum(one) OVER (every_part ORDER BY one / nullif(other, 0), part ROWS UNBOUNDED PRECEDING) AS reached
    FROM pairs WINDOW every_part AS (PARTITION BY whole, p, t)
), apart AS (
    SELECT whole, any_value(over) AS over, p, t,
           CASE WHEN count(*) FILTER (WHERE known) = any_value(parts) AND min(ones) > 0
                THEN any_value(factor) * CASE any_value(over)
                    WHEN 'dissimilarity' THEN sum(abs(one / ones - other / nullif(others, 0))) / 2
                    WHEN 'concentration' THEN 1 - sum(other / nullif(others, 0) * (2 * reached - one) / ones)
                    ELSE coalesce(sum(one / ones) FILTER (WHERE other >= low AND other < high), 0) END
           END AS value,
           CASE WHEN count(*) < any_value(parts) THEN 'O' ELSE max(why) END AS why, max(status) AS status,
           hidden_by_of(hidden_by) AS hidden_by, min(oldest_t) AS oldest_t, bool_or(converted) AS converted,
           reserves_of(reserve) AS reserve
    FROM spread GROUP BY whole, p, t
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
