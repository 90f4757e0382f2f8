-- The twelve months of a calendar year as one figure, dated December: missing when one of them is, and
-- hidden when one is hidden, since the eleven others would tell it.
INSERT INTO available BY NAME
WITH years AS (
    SELECT i.v, a.p, max(a.t) AS t, count(a.value) = 12 AS complete, sum(a.value) AS total,
           max(a.obs_status) FILTER (WHERE a.value IS NULL) AS missing_status,
           max(a.obs_status) FILTER (WHERE a.value IS NOT NULL) AS status,
           hidden_by_of(hidden_by) AS hidden_by, bool_or(a.converted) AS converted, reserves_of(reserve) AS reserve
    FROM available a JOIN numbered_inputs m USING (v) JOIN numbered_inputs i ON i.total_of = m.variable
    GROUP BY i.v, a.p, (a.t - 1) // 12 HAVING max(a.t) % 12 = 0
)
SELECT v, p, t, CASE WHEN complete THEN total END AS value,
       CASE WHEN complete THEN status WHEN hidden_by IS NOT NULL THEN 'Q'
            ELSE coalesce(missing_status, 'O') END AS obs_status,
       CASE WHEN complete THEN 'F' WHEN hidden_by = 'secondaire' THEN 'D'
            WHEN hidden_by IS NOT NULL THEN 'C' ELSE 'F' END AS conf_status,
       CASE WHEN NOT complete THEN hidden_by END AS hidden_by,
       NULL AS lower_bound, false AS delivered, converted, reserve
FROM years
