-- A figure counts only if its delivery's month is trusted (storage/schema/views.sql). `delivered` tells
-- it from a whole computed below, `converted` from the same territory's figure in another geography.
CREATE OR REPLACE TEMP TABLE available AS
SELECT v.v, p.p, month_number(o.month) AS t, o.value, o.obs_status,
       o.conf_status, CASE WHEN o.conf_status <> 'F' THEN 'producteur' END AS hidden_by, o.lower_bound,
       true AS delivered, false AS converted, m.reserve
FROM observations o
JOIN numbered_inputs v ON v.variable = o.variable
JOIN places p ON p.territory = o.territory AND p.level = o.level AND p.geography = o.geography
JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
WHERE o.known_to IS NULL
