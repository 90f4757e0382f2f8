-- Reads `before` and `after`, two releases attached, their values in today's shape, and `after_inputs`: what
-- the indicators of the second one read. A line for each value that differs, with its cause. Of all territories, or of one.
WITH b AS (FROM after_values SELECT indicator, month, territory, geography, value, obs_status,
           conf_status, reserve WHERE $territory IS NULL OR territory = $territory),
a AS (FROM before_values SELECT indicator, month, territory, geography, value, obs_status,
      conf_status, reserve WHERE $territory IS NULL OR territory = $territory),
pairs AS (
    SELECT indicator, month, territory, geography, a.value AS before, b.value AS after,
        a.reserve AS old_reserve, b.reserve AS new_reserve,
        a.conf_status AS old_conf, b.conf_status AS new_conf,
        CASE WHEN a.value IS NULL AND b.value IS NOT NULL THEN 'nouvelle'
             WHEN a.value IS NOT NULL AND b.value IS NULL THEN 'retirée'
             WHEN abs(a.value - b.value) > 1e-9 * greatest(abs(a.value), 1) THEN 'révisée'
             WHEN (a.obs_status, a.conf_status, a.reserve)
                  IS DISTINCT FROM (b.obs_status, b.conf_status, b.reserve)
                  AND a.obs_status IS NOT NULL AND b.obs_status IS NOT NULL THEN 'statut' END AS kind
    FROM a FULL JOIN b USING (indicator, month, territory, geography)
), changed AS (FROM pairs WHERE kind IS NOT NULL),
redefined AS (
    SELECT indicator FROM before.definitions o JOIN after.definitions n USING (indicator)
    WHERE o.formula <> n.formula OR o.unit <> n.unit
), arrived AS (
    SELECT o.variable, o.month, o.geography, o.delivery, any_value(o.known_from) AS known_from
    FROM after.observations o
    WHERE o.known_from > (SELECT coalesce(max(known_from), 0) FROM before.observations)
    GROUP BY ALL
), known AS (SELECT DISTINCT variable, month FROM before.observations),
causes AS (
    SELECT r.indicator, n.month, bool_or(k.month IS NOT NULL) AS revised,
           string_agg(DISTINCT d.file_name, ', ' ORDER BY d.file_name) AS files,
           list(DISTINCT n.geography) AS geographies
    FROM arrived n JOIN after_inputs r USING (variable) JOIN after.deliveries d ON d.id = n.delivery
    LEFT JOIN known k ON k.variable = n.variable AND k.month = n.month GROUP BY ALL
)
SELECT c.kind, c.indicator, c.territory, c.month, c.geography, c.before, c.after,
    CASE WHEN c.indicator NOT IN (SELECT indicator FROM before.definitions) THEN 'indicateur ajouté'
         WHEN c.indicator NOT IN (SELECT indicator FROM after.definitions) THEN 'indicateur retiré'
         WHEN c.indicator IN (SELECT indicator FROM redefined) THEN 'définition changée'
         WHEN c.new_reserve IS NOT NULL AND c.old_reserve IS DISTINCT FROM c.new_reserve
              THEN 'acceptée malgré une règle : ' || c.new_reserve
         WHEN c.old_conf = 'F' AND c.new_conf <> 'F' AND s.files IS NULL THEN 'secret'
         WHEN s.files IS NULL THEN 'calcul'
         WHEN s.revised THEN 'révision'
         WHEN NOT list_contains(s.geographies, c.geography) THEN 'livraison, convertie de géographie'
         ELSE 'livraison' END AS cause, s.files
FROM changed c LEFT JOIN causes s ON s.indicator = c.indicator AND s.month = c.month
ORDER BY c.indicator, c.month, c.territory, c.geography
