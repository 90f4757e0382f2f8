-- By feed, what was received in a period, from delivered_months and deliveries of the warehouse.
WITH months AS (
    SELECT m.feed, m.delivery, m.month, m.state, d.received_at, EXISTS (
        FROM delivered_months f JOIN deliveries e ON e.id = f.delivery
        WHERE f.feed = m.feed AND f.month = m.month AND f.state = 'accepted' AND m.state = 'accepted'
          AND e.received_order < d.received_order
          AND list_has_any(coalesce(e.levels, []), coalesce(d.levels, []))) AS revised
    FROM delivered_months m JOIN deliveries d ON d.id = m.delivery
)
SELECT feed, count(DISTINCT delivery), count(*) FILTER (WHERE state = 'accepted'),
       count(*) FILTER (WHERE state = 'refused'), count(*) FILTER (WHERE revised)
FROM months WHERE CAST(received_at AS DATE) BETWEEN $start AND $end GROUP BY feed ORDER BY feed
