-- In the tables of an audit, `passed` months of `delivery` are taken as accepted: what comes in the next
-- turn is compared with them.
CREATE OR REPLACE TEMP TABLE entering AS FROM delivery SEMI JOIN passed USING (feed, month);

DELETE FROM accepted a
WHERE EXISTS (FROM entering e WHERE e.variable = a.variable AND e.month = a.month AND e.level = a.level);

INSERT INTO accepted BY NAME
SELECT feed, variable, month, territory, level, geography, value, conf_status, lines FROM entering;

INSERT INTO former BY NAME
SELECT DISTINCT feed, column_name AS name FROM delivered_columns SEMI JOIN passed USING (feed, month)
EXCEPT FROM former;
