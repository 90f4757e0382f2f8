-- `received`, a row a delivery in their order, and `received_months`, a row a month with its rule where it is
-- refused, become deliveries, arrivals, origins, delivered_months and verdicts.
INSERT INTO deliveries BY NAME
SELECT r.* EXCLUDE (number, unknown_columns, levels, dated, contracts, rest, origin),
       CAST(unknown_columns AS VARCHAR[]) AS unknown_columns, CAST(levels AS VARCHAR[]) AS levels,
       (SELECT coalesce(max(received_order), 0) FROM deliveries) + number AS received_order
FROM received r;

INSERT INTO arrivals (delivery, dated, contracts, rest)
SELECT id, dated, contracts, CAST(rest AS VARCHAR[]) FROM received;

INSERT INTO origins (delivery, origin) SELECT id, origin FROM received;

INSERT INTO delivered_months (delivery, feed, month, state, judged_at)
SELECT delivery, feed, month, state, CASE WHEN state = 'refused' THEN judged_at END FROM received_months;

INSERT INTO verdicts (delivery, month, rule, severity, passed, message, remedy, failing, rows)
SELECT delivery, month, rule, 'critical', false, message, remedy, 1, '[]' FROM received_months
WHERE state = 'refused';
