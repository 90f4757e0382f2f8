-- `released`: what the last release (`former`) says, unless a figure it read has lost its verdict: then it is
-- not to be shown again, nor to be compared with. Reads `trusted_months` and `deliveries`, and the registered
-- `former_inputs`, `weights` and `known_places`.
CREATE OR REPLACE TEMP TABLE released AS
WITH trusted AS (
    -- A release names a delivery by its number; those of former formats by its id.
    SELECT month, delivery FROM trusted_months
    UNION ALL
    SELECT m.month, CAST(d.received_order AS VARCHAR)
    FROM trusted_months m JOIN deliveries d ON d.id = m.delivery
), read AS (
    SELECT indicator, variable FROM former_inputs
    UNION SELECT r.indicator, w.weight FROM former_inputs r JOIN weights w USING (variable)
), distrusted AS (
    SELECT DISTINCT r.indicator FROM read r JOIN (
        SELECT DISTINCT o.variable FROM former.observations o
        ANTI JOIN trusted m ON m.delivery = o.delivery AND m.month = o.month
    ) USING (variable)
), said AS (
    SELECT *, false AS converted FROM former.indicator_values
    UNION ALL BY NAME SELECT *, true AS converted FROM former.converted_values
)
SELECT indicator, month, territory, level, geography, value, obs_status, conf_status, hidden_by,
       numerator, denominator, oldest_input, converted, reserve
FROM said SEMI JOIN known_places USING (territory, geography)
WHERE indicator NOT IN (FROM distrusted)
