-- Deliveries recorded before of the bytes whose hashes are given, with the months of each; from
-- deliveries, arrivals, delivered_months.
SELECT sha256, id, feed, format, simulated, reason, a.contracts, file_name, coalesce(
    (SELECT list(m.month ORDER BY m.month) FROM delivered_months m WHERE m.delivery = id), []
)
FROM deliveries LEFT JOIN arrivals a ON a.delivery = id
WHERE sha256 IN (SELECT unnest(?)) ORDER BY id
