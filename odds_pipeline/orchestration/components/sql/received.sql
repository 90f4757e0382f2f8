-- What was received and what persons decided after the moment $until, in its order.
-- deliveries: one row a table of a file, feed NULL when set aside, reason when refused whole;
-- dismissals: by hash of a file; overrulings: by month and rule of a delivery.
SELECT moment, kind, file, feed, months, reason, delivery FROM (
    SELECT d.received_at AS moment,
           CASE WHEN d.feed IS NULL THEN 'mis de côté'
                WHEN d.reason IS NOT NULL THEN 'refusé' ELSE 'reçu' END AS kind,
           d.file_name AS file, d.feed,
           (SELECT list(DISTINCT m.month ORDER BY m.month) FROM delivered_months m
            WHERE m.delivery = d.id) AS months,
           d.reason, d.id AS delivery
    FROM deliveries d
    UNION ALL
    SELECT x.decided_at, 'écarté', any_value(d.file_name), NULL, NULL,
           x.reason || ' (' || x.decided_by || ')', x.sha256
    FROM dismissals x JOIN deliveries d ON d.sha256 = x.sha256
    GROUP BY x.decided_at, x.sha256, x.reason, x.decided_by
    UNION ALL
    SELECT o.decided_at, 'accepté', d.file_name, d.feed, [o.month],
           any_value(o.reason || ' (' || o.decided_by || ')'), d.id
    FROM overrulings o JOIN deliveries d ON d.id = o.delivery
    GROUP BY o.decided_at, d.file_name, d.feed, o.month, d.id
) WHERE moment > $until ORDER BY moment, file
