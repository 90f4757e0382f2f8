-- What another contract delivers before this one (`preferred`) is kept as figures replaced on arrival, and
-- leaves `incoming`.
CREATE OR REPLACE TEMP TABLE outranked AS
SELECT DISTINCT o.variable, o.month, o.level FROM observations o
SEMI JOIN incoming USING (variable, month, level)
JOIN deliveries d ON d.id = o.delivery
JOIN preferred p ON p.variable = o.variable AND p.feed = d.feed
WHERE o.known_to IS NULL;

INSERT INTO observations BY NAME
SELECT n.*, p.judgement AS known_from, p.judgement AS known_to
FROM incoming n SEMI JOIN outranked USING (variable, month, level)
CROSS JOIN (SELECT DISTINCT judgement FROM preferred) p;

DELETE FROM incoming USING outranked o
WHERE incoming.variable = o.variable AND incoming.month = o.month AND incoming.level = o.level;
