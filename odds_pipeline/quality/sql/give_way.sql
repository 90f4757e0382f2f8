-- What another contract delivers before this one (`preferred`), or a newer edition of this feed, stays: such
-- figures of `incoming` are kept as replaced on arrival, and leave it; from `turn` (of each delivery its feed,
-- its judgement, whether a person decided), observations, deliveries, delivered_series and `lies_in`, the département of each
-- territory. An older edition, whenever it comes, fills only what the newer one lacks.
CREATE OR REPLACE TEMP TABLE outranked AS
WITH arriving AS (
    SELECT DISTINCT n.variable, n.month, n.level, n.delivery, coalesce(p.departement, '') AS departement
    FROM incoming n LEFT JOIN lies_in p USING (level, territory)
),
held AS (
    SELECT DISTINCT a.*, o.delivery AS holder
    FROM observations o LEFT JOIN lies_in p USING (level, territory)
    JOIN arriving a ON a.variable = o.variable AND a.month = o.month AND a.level = o.level
                   AND a.departement = coalesce(p.departement, '')
    WHERE o.known_to IS NULL
),
series AS (
    SELECT delivery, begins, ends FROM delivered_series
    WHERE feed IN (SELECT feed FROM turn WHERE NOT decided)
)
SELECT h.variable, h.month, h.level, h.delivery, h.departement
FROM held h JOIN deliveries d ON d.id = h.holder JOIN preferred p ON p.variable = h.variable AND p.feed = d.feed
UNION
SELECT h.variable, h.month, h.level, h.delivery, h.departement
FROM held h JOIN series newer ON newer.delivery = h.holder JOIN series older ON older.delivery = h.delivery
WHERE older.begins <= newer.begins AND older.ends < newer.ends;

CREATE OR REPLACE TEMP TABLE giving_way AS
SELECT n.* FROM incoming n LEFT JOIN lies_in p USING (level, territory)
SEMI JOIN outranked o ON o.variable = n.variable AND o.month = n.month AND o.level = n.level
                     AND o.delivery = n.delivery AND o.departement = coalesce(p.departement, '');

INSERT INTO observations BY NAME
SELECT n.*, t.judgement AS known_from, t.judgement AS known_to FROM giving_way n JOIN turn t USING (delivery);

DELETE FROM incoming USING giving_way g
WHERE incoming.variable = g.variable AND incoming.month = g.month AND incoming.level = g.level
  AND incoming.territory = g.territory AND incoming.delivery = g.delivery;
