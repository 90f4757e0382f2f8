-- Months of deliveries whose figures come from a file that is dated later and says otherwise, or waits to be
-- judged; from incoming (the figures received: delivery, feed, format, dated) and the warehouse. Of two series,
-- the one that goes further is the newer whatever its date: the gate lets the older one fill what is missing.
WITH months AS (
    SELECT DISTINCT delivery, feed, format, dated, month FROM incoming
),
others AS (
    SELECT n.delivery, n.month, o.delivery AS other
    FROM incoming n JOIN observations o USING (variable, month, territory, level)
    JOIN deliveries s ON s.id = o.delivery AND s.feed = n.feed
    WHERE o.known_to IS NULL AND n.value IS DISTINCT FROM o.value
    UNION
    SELECT n.delivery, n.month, w.id AS other
    FROM months n JOIN delivered_months m USING (feed, month)
    JOIN deliveries w ON w.id = m.delivery AND w.format = n.format
    WHERE m.state = 'pending'
),
own AS (SELECT delivery, feed, min(month) AS begins, max(month) AS ends FROM months GROUP BY ALL HAVING begins < ends),
editions AS (
    SELECT own.delivery, one.delivery AS other FROM own JOIN delivered_series one USING (feed)
    WHERE (own.begins <= one.begins AND own.ends < one.ends)
       OR (one.begins <= own.begins AND one.ends < own.ends)
)
SELECT n.delivery, n.month, max_by(d.file_name, a.dated), max(a.dated)
FROM (FROM others ANTI JOIN editions USING (delivery, other)) x JOIN months n USING (delivery, month)
JOIN deliveries d ON d.id = x.other JOIN arrivals a ON a.delivery = x.other
WHERE a.dated > n.dated GROUP BY n.delivery, n.month
