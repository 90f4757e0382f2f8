-- Adds to `available` the wholes of complete sets of parts, where nothing was delivered for the whole itself;
-- what was delivered for it in another geography is its figure in this one too.
INSERT INTO available
WITH pieces AS (
    SELECT o.*, i.aggregation, w.value AS weight, w.conf_status AS weight_conf,
           p.whole, p.parts
    FROM available o
    JOIN numbered_inputs i ON i.v = o.v
    JOIN wanted p ON p.part = o.p AND p.across = $across
    LEFT JOIN numbered_inputs x ON x.variable = i.aggregation
    LEFT JOIN available w ON w.v = x.v AND w.p = o.p AND w.t = o.t
    WHERE p.parts = 1 OR i.aggregation <> 'none'
), sums AS (
    SELECT v, whole AS p, t,
           bool_or(conf_status <> 'F' OR coalesce(weight_conf, 'F') <> 'F') AS secret,
           count(*) = any_value(parts) AND count(value) = count(*) AS complete,
           CASE WHEN any_value(parts) = 1 THEN any_value(value)
                WHEN any_value(aggregation) = 'sum' THEN sum(value)
                WHEN count(weight) = count(*) THEN sum(value * weight) / nullif(sum(weight), 0)
           END AS value,
           max(obs_status) FILTER (WHERE value IS NULL) AS missing_status,
           -- A mean of rates that their producer rounded is close to the true one, not equal to it.
           greatest(CASE WHEN any_value(parts) > 1 AND any_value(aggregation) <> 'sum' THEN 'E' END,
               max(obs_status) FILTER (WHERE value IS NOT NULL)) AS status,
           reserves_of(reserve) AS reserve
    FROM pieces GROUP BY v, whole, t
), made AS (
    SELECT v, p, t,
           CASE WHEN complete THEN value END AS value,
           CASE WHEN complete AND value IS NOT NULL THEN status
                WHEN secret THEN 'Q' ELSE coalesce(missing_status, 'O') END AS obs_status,
           CASE WHEN secret THEN 'C' ELSE 'F' END AS conf_status,
           CASE WHEN secret THEN 'producteur' END AS hidden_by, NULL AS lower_bound,
           false AS delivered, $across AS converted, reserve
    FROM sums s
    WHERE NOT EXISTS (FROM available a WHERE a.v = s.v AND a.p = s.p AND a.t = s.t)
), elsewhere AS (
    -- A whole that no merger changes is the same in each geography: what was delivered for it in another one
    -- stands, where communes of this one give 53.138 for the 53.1 of its producer, or are not all there.
    SELECT a.v, here.p, a.t, a.value, a.obs_status, a.conf_status, a.hidden_by, a.lower_bound,
           a.delivered, a.converted, a.reserve
    FROM available a
    JOIN places there ON there.p = a.p
    JOIN places here ON here.territory = there.territory AND here.level = there.level
     AND here.geography <> there.geography
    WHERE a.delivered AND NOT $across AND NOT here.changed AND here.p IN (SELECT whole FROM wanted)
    QUALIFY row_number() OVER (PARTITION BY a.v, here.p, a.t ORDER BY there.geography DESC) = 1
)
FROM made ANTI JOIN elsewhere USING (v, p, t)
UNION ALL FROM elsewhere SEMI JOIN made USING (v, p, t)
