-- The rules that the last delivery of each month broke, from the warehouse's months, verdicts
-- and overrulings.
WITH standing AS (
    SELECT m.feed, m.delivery, m.month, d.file_name
    FROM delivered_months m JOIN deliveries d ON d.id = m.delivery
    WHERE list_contains($feeds, m.feed) AND m.month BETWEEN $first AND $last AND (m.state = 'accepted'
       OR EXISTS (FROM quarantine q WHERE q.delivery = m.delivery AND q.month = m.month))
    QUALIFY row_number() OVER (
        PARTITION BY m.feed, m.month, coalesce(d.levels, []) ORDER BY d.received_order DESC) = 1
)
SELECT s.feed, s.month, s.file_name, v.rule, v.severity, v.message, v.remedy, v.failing, v.rows, o.reason
FROM standing s LEFT JOIN verdicts v ON v.delivery = s.delivery AND v.month = s.month AND NOT v.passed
LEFT JOIN overrulings o ON o.delivery = v.delivery AND o.month = v.month AND o.rule = v.rule
ORDER BY s.feed, s.month, s.file_name, v.rule
