-- Deliveries recorded before of the bytes whose hashes are given, with the months of each, those of them
-- that wait in quarantine, and whether all were refused because the name tells a month that cannot be;
-- from deliveries, arrivals, delivered_months, verdicts, quarantine.
SELECT sha256, id, feed, format, simulated, reason, a.contracts, file_name, coalesce(
    (SELECT list(m.month ORDER BY m.month) FROM delivered_months m WHERE m.delivery = id), []
), coalesce((SELECT list(q.month ORDER BY q.month) FROM quarantine q WHERE q.delivery = id), []), coalesce(
    (SELECT bool_and(m.state = 'refused' AND m.month IN (
        SELECT v.month FROM verdicts v WHERE v.delivery = m.delivery AND NOT v.passed
        AND v.rule IN ('calendrier', 'periode_future')
    )) FROM delivered_months m WHERE m.delivery = id), false
)
FROM deliveries LEFT JOIN arrivals a ON a.delivery = id
WHERE sha256 IN (SELECT unnest(?)) ORDER BY id
