-- Months of feeds with figures in use: the version of what each rests on (delivery, judgement, reserve),
-- whether they are simulated, and how many cells have a value, are missing, are secret.
WITH months AS (
    SELECT feed, month, md5(string_agg(concat_ws('|', delivery, judgement, reserve), '&' ORDER BY delivery)) AS version,
           bool_or(delivery IN (SELECT id FROM deliveries WHERE simulated)) AS simulated,
           list(delivery) AS deliveries
    FROM trusted_months WHERE list_contains($feeds, feed) AND month BETWEEN $first AND $last GROUP BY feed, month
), cells AS (
    SELECT month, delivery, count(*) AS cells, count(value) AS filled,
           count(*) FILTER (WHERE conf_status <> 'F') AS secret,
           count(DISTINCT territory) AS territories
    FROM observations
    WHERE known_to IS NULL AND month BETWEEN $first AND $last
      AND delivery IN (SELECT unnest(deliveries) FROM months)
    GROUP BY month, delivery
)
SELECT m.feed, m.month, m.version, m.simulated, coalesce(sum(c.cells), 0)::BIGINT,
       coalesce(sum(c.filled), 0)::BIGINT, coalesce(sum(c.secret), 0)::BIGINT,
       coalesce(max(c.territories), 0)::BIGINT
FROM months m LEFT JOIN cells c ON c.month = m.month AND list_contains(m.deliveries, c.delivery)
GROUP BY ALL ORDER BY m.feed, m.month
