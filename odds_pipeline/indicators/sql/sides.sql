-- A formula's terms over one feed are found from the figures themselves, those over several feeds from
-- each figure of the driving one: the latter need a search for the latest month, and are few. A month that is
-- known in another geography only, and that a merged commune cannot have, is passed over by all where that
-- commune has an earlier one: ranked communes are divided by figures of one date.
CREATE OR REPLACE TEMP TABLE sides AS
WITH changed_places AS (
    SELECT p FROM places WHERE changed
), cells AS (
    SELECT k.i, a.p, a.t + k.lag AS t, k.side, k.coefficient,
           k.drives AND (NOT a.converted OR a.p IN (FROM changed_places)) AS drives,
           k.drives AND a.converted AS converted,
           a.value, a.obs_status, a.hidden_by, a.t AS input_t, a.reserve
    FROM numbered_terms k JOIN numbered_definitions d ON d.i = k.i AND d.all_exact
    JOIN available a ON a.v = k.v
    WHERE a.t + k.lag BETWEEN $first AND $last
), spine AS MATERIALIZED (
    SELECT d.i, o.p, o.t, o.converted FROM numbered_definitions d
    JOIN available o ON o.v = d.driving_v AND (NOT o.converted OR o.p IN (FROM changed_places))
    WHERE NOT d.all_exact AND o.t BETWEEN $first AND $last
), merged AS MATERIALIZED (
    SELECT v, p, t FROM available WHERE p IN (FROM changed_places)
), halved AS (
    SELECT DISTINCT a.v, a.t, c.geography
    FROM (SELECT DISTINCT v, t, geography FROM available JOIN places USING (p) WHERE converted) a
    JOIN places c ON c.geography = a.geography AND c.changed
    WHERE NOT EXISTS (FROM merged x WHERE x.v = a.v AND x.p = c.p AND x.t = a.t)
      AND EXISTS (FROM merged x WHERE x.v = a.v AND x.p = c.p AND x.t < a.t)
), common AS (
    FROM available a ANTI JOIN (
        SELECT h.v, h.t, p.p FROM halved h JOIN places p USING (geography)
    ) h ON h.v = a.v AND h.t = a.t AND h.p = a.p AND a.converted
), asked AS (
    SELECT s.i, s.p, s.t, s.converted, k.side, k.coefficient, k.exact, k.v,
           coalesce(k.fixed, s.t - k.lag) AS wanted, CASE k.at WHEN '' THEN s.p ELSE r.reference END AS place
    FROM spine s JOIN numbered_terms k ON k.i = s.i
    LEFT JOIN reference_places r ON r.p = s.p AND r.at = k.at
), every AS (
    FROM cells
    UNION ALL
    SELECT q.i, q.p, q.t, q.side, q.coefficient, true, q.converted, a.value, a.obs_status, a.hidden_by,
           a.t, a.reserve
    FROM asked q LEFT JOIN available a ON a.v = q.v AND a.p = q.place AND a.t = q.wanted
    WHERE q.exact
    UNION ALL
    SELECT q.i, q.p, q.t, q.side, q.coefficient, true, q.converted, a.value, a.obs_status, a.hidden_by,
           a.t, a.reserve
    FROM (FROM asked WHERE NOT exact) q ASOF LEFT JOIN common a
      ON a.v = q.v AND a.p = q.place AND q.wanted >= a.t
), grouped AS (
SELECT i, p, t,
       sum(coefficient * value) FILTER (WHERE side = 'numerator') AS numerator,
       sum(coefficient * value) FILTER (WHERE side = 'multiplier') AS multiplier,
       sum(coefficient * value) FILTER (WHERE side = 'denominator') AS denominator,
       hidden_by_of(hidden_by) AS hidden_by,
       bool_or(converted) AS converted,
       count(value) AS found,
       count(obs_status) AS delivered,
       max(obs_status) FILTER (WHERE value IS NULL) AS missing_status,
       max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
       min(input_t) AS oldest_t,
       reserves_of(reserve) AS reserve
FROM every GROUP BY i, p, t HAVING bool_or(drives)
)
FROM grouped SEMI JOIN (
    SELECT d.i, p.p FROM asked_levels l JOIN numbered_definitions d USING (indicator)
    JOIN places p USING (level)
) USING (i, p)
