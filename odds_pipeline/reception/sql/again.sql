-- A delivery sent again: the same, under a number of its own and received last; of deliveries.
INSERT INTO deliveries SELECT * REPLACE (
    $again AS id, $now AS received_at,
    (SELECT max(received_order) + 1 FROM deliveries) AS received_order
) FROM deliveries WHERE id = $id
