-- Twelve months as one figure: those of a calendar year, dated December, or those that end with each month. It is
-- missing when one of them is, and hidden when one is hidden, since the eleven others would tell it; of those that
-- are shown, overlapping sums tell nothing that the months do not.
INSERT INTO available BY NAME
WITH windowed AS (
    SELECT a.* EXCLUDE (v, t), i.v, 12 * ((a.t + 11) // 12) AS t, a.t AS of_t
    FROM available a JOIN numbered_inputs m USING (v) JOIN numbered_inputs i ON i.total_of = m.variable
    WHERE i.over_window = 'year_total'
    UNION ALL
    SELECT a.* EXCLUDE (v, t), i.v, a.t + k.months AS t, a.t AS of_t
    FROM available a JOIN numbered_inputs m USING (v) JOIN numbered_inputs i ON i.total_of = m.variable
    CROSS JOIN (SELECT unnest(range(12)) AS months) k
    WHERE i.over_window = 'twelve_months'
), years AS (
    SELECT a.v, a.p, a.t, count(a.value) = 12 AS complete, sum(a.value) AS total,
           max(a.obs_status) FILTER (WHERE a.value IS NULL) AS missing_status,
           max(a.obs_status) FILTER (WHERE a.value IS NOT NULL) AS status,
           hidden_by_of(hidden_by) AS hidden_by, bool_or(a.converted) AS converted, reserves_of(reserve) AS reserve
    FROM windowed a GROUP BY a.v, a.p, a.t HAVING max(a.of_t) = a.t
)
SELECT v, p, t, CASE WHEN complete THEN total END AS value,
       CASE WHEN complete THEN status WHEN hidden_by IS NOT NULL THEN 'Q'
            ELSE coalesce(missing_status, 'O') END AS obs_status,
       CASE WHEN complete THEN 'F' WHEN hidden_by = 'secondaire' THEN 'D'
            WHEN hidden_by IS NOT NULL THEN 'C' ELSE 'F' END AS conf_status,
       CASE WHEN NOT complete THEN hidden_by END AS hidden_by,
       NULL AS lower_bound, false AS delivered, converted, reserve
FROM years
