-- What another contract delivers before this one (`preferred`), or a newer edition of this feed, stays: such
-- figures of `incoming` are kept as replaced on arrival, and leave it; from `turn` (the feed, the judgement,
-- whether a person decided), observations, deliveries, delivered_series. An older edition, whenever it comes,
-- fills only what the newer one lacks.
CREATE OR REPLACE TEMP TABLE outranked AS
WITH held AS (
    SELECT DISTINCT o.variable, o.month, o.level, o.delivery AS holder, n.delivery
    FROM observations o JOIN incoming n USING (variable, month, level) WHERE o.known_to IS NULL
),
series AS (
    SELECT delivery, begins, ends FROM delivered_series JOIN turn USING (feed) WHERE NOT decided
)
SELECT h.variable, h.month, h.level, h.delivery
FROM held h JOIN deliveries d ON d.id = h.holder JOIN preferred p ON p.variable = h.variable AND p.feed = d.feed
UNION
SELECT h.variable, h.month, h.level, h.delivery
FROM held h JOIN series newer ON newer.delivery = h.holder JOIN series older ON older.delivery = h.delivery
WHERE older.begins <= newer.begins AND older.ends < newer.ends;

INSERT INTO observations BY NAME
SELECT n.*, judgement AS known_from, judgement AS known_to
FROM turn, incoming n SEMI JOIN outranked USING (variable, month, level, delivery);

DELETE FROM incoming USING outranked o
WHERE incoming.variable = o.variable AND incoming.month = o.month AND incoming.level = o.level
  AND incoming.delivery = o.delivery;
