-- Months whose figures come from a file that is dated later and says otherwise, or waits to be judged;
-- from incoming (the figures received) and the warehouse. Of two series, the one that goes further is the
-- newer whatever its date: the gate lets the older one fill what is missing.
WITH others AS (
    SELECT n.month, o.delivery
    FROM incoming n JOIN observations o USING (variable, month, territory, level)
    JOIN deliveries s ON s.id = o.delivery AND s.feed = $feed
    WHERE o.known_to IS NULL AND n.value IS DISTINCT FROM o.value
    UNION
    SELECT m.month, m.delivery FROM delivered_months m JOIN deliveries w ON w.id = m.delivery
    WHERE m.state = 'pending' AND m.feed = $feed AND w.format = $format
      AND m.month IN (SELECT month FROM incoming)
),
own AS (SELECT min(month) AS begins, max(month) AS ends FROM incoming HAVING begins < ends),
editions AS (
    SELECT one.delivery FROM own, delivered_series one
    WHERE one.feed = $feed AND (
        (own.begins <= one.begins AND own.ends < one.ends)
        OR (one.begins <= own.begins AND one.ends < own.ends)
    )
)
SELECT x.month, max_by(d.file_name, a.dated), max(a.dated)
FROM (FROM others ANTI JOIN editions USING (delivery)) x
JOIN deliveries d ON d.id = x.delivery JOIN arrivals a ON a.delivery = x.delivery
WHERE a.dated > $dated GROUP BY x.month
