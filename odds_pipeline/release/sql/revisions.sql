-- Each version of the raw figures of a month, from observations and deliveries of the warehouse.
SELECT o.variable, o.territory, o.month, o.value, o.obs_status, o.conf_status, d.file_name,
       strftime(d.received_at, '%Y-%m-%d %H:%M:%S'), o.known_from, o.known_to, o.correction,
       row_number() OVER figure AS version,
       list_contains(
           list(o.value) OVER (figure ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), o.value)
           AND o.value IS DISTINCT FROM lag(o.value) OVER figure AS back
FROM observations o JOIN deliveries d ON d.id = o.delivery
WHERE o.variable IN (SELECT unnest($variables)) AND o.month = $month
  AND o.territory IN (SELECT unnest($territories))
WINDOW figure AS (PARTITION BY o.variable, o.territory, o.level, o.geography ORDER BY o.known_from)
ORDER BY o.variable, o.territory, o.geography, o.known_from
