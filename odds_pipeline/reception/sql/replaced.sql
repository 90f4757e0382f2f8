-- Months of each delivery that a file received since was accepted for, and that file; from
-- delivered_months, deliveries, trusted_months.
SELECT m.delivery, m.month, max_by(e.file_name, e.received_order)
FROM delivered_months m JOIN deliveries d ON d.id = m.delivery
JOIN trusted_months t ON t.feed = m.feed AND t.month = m.month
JOIN deliveries e ON e.id = t.delivery AND e.received_order > d.received_order
     AND list_has_all(coalesce(e.levels, []), coalesce(d.levels, []))
WHERE m.state = 'accepted' GROUP BY m.delivery, m.month
HAVING NOT bool_or(e.sha256 = d.sha256) ORDER BY m.delivery, m.month
