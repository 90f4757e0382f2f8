-- The figures that a term of a formula rests on, from observations and deliveries of a release:
-- of the twelve months, or the last one known.
WITH known AS (
    SELECT o.territory, o.month, o.value, o.obs_status, o.conf_status, d.file_name, o.line, o.lines,
           d.id, d.sha256, d.simulated, d.received_at, o.correction, d.feed,
           d.origin ->> '$.address' AS origin
    FROM observations o JOIN deliveries d ON d.id = o.delivery
    WHERE o.variable = $variable AND o.level = $level AND o.month <= $wanted
      AND o.territory IN (SELECT unnest($territories)) AND o.geography = $geography
)
FROM known
WHERE CASE WHEN $of_twelve THEN month > $before
           ELSE month = (SELECT max(month) FROM known) AND ($exact = false OR month = $wanted) END
ORDER BY territory, month
