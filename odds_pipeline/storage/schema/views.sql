-- Views belong to the program, not to the warehouse: each opening makes its own, for itself alone, so that
-- an older program leaves no view behind, and a warehouse that may only be read has them too.

-- What refuses, for every one who asks: a severity that is not known refuses too.
CREATE OR REPLACE TEMPORARY VIEW failing_verdicts AS
FROM verdicts WHERE NOT passed AND severity NOT IN ('warning', 'info');
CREATE OR REPLACE TEMPORARY VIEW failing_indicator_verdicts AS
FROM indicator_verdicts WHERE NOT passed AND severity NOT IN ('warning', 'info');

-- The gate. A month of a delivery counts when it has verdicts, none of its critical ones failed without
-- being overruled, and the judgement accepted it. Everything that computes or publishes reads this view.
CREATE OR REPLACE TEMPORARY VIEW trusted_months AS
SELECT m.feed, m.delivery, m.month, m.judgement,
       string_agg('Publié malgré une règle non respectée. Motif : ' || o.reason
           || ' (' || o.decided_by || ', ' || strftime(o.decided_at, '%d/%m/%Y') || ').', ' '
           ORDER BY v.rule) FILTER (WHERE NOT v.passed AND o.rule IS NOT NULL) AS reserve
FROM delivered_months m
JOIN verdicts v ON v.delivery = m.delivery AND v.month = m.month
LEFT JOIN overrulings o ON o.delivery = v.delivery AND o.month = v.month AND o.rule = v.rule
LEFT JOIN failing_verdicts f ON f.delivery = v.delivery AND f.month = v.month AND f.rule = v.rule
WHERE m.state = 'accepted'
GROUP BY ALL
HAVING count(f.rule) FILTER (WHERE o.rule IS NULL) = 0;

-- Deliveries of several months: editions of a series, which revise their past. Of two of a feed, the one that
-- begins no later and ends earlier is the older.
CREATE OR REPLACE TEMPORARY VIEW delivered_series AS
SELECT feed, delivery, min(month) AS begins, max(month) AS ends
FROM delivered_months GROUP BY feed, delivery HAVING min(month) < max(month);

-- Refused months that no later delivery of the same feed, month and levels has replaced. A month that
-- could not be told (0000-00) is closed by a later delivery of the same file name.
CREATE OR REPLACE TEMPORARY VIEW quarantine AS
SELECT m.feed, m.month, m.delivery, d.file_name, d.received_at, d.received_order
FROM delivered_months m JOIN deliveries d ON d.id = m.delivery
WHERE m.state = 'refused' AND NOT EXISTS (
    FROM delivered_months a JOIN deliveries e ON e.id = a.delivery
    WHERE a.state = 'accepted' AND a.feed = m.feed AND e.received_order > d.received_order
      AND (a.month = m.month OR (m.month = '0000-00' AND e.file_name = d.file_name)
           OR (e.sha256 = d.sha256 AND e.file_name <> d.file_name))
      AND list_has_all(coalesce(e.levels, d.levels, []), coalesce(d.levels, []))
);
