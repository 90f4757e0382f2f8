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

-- Where a feed of the audit tells the population, it is the last one accepted now, as in the warehouse.
CREATE OR REPLACE TEMP TABLE population AS
WITH told AS (
    SELECT territory, geography, arg_max(value, month) AS population FROM accepted
    WHERE variable = $population AND value IS NOT NULL GROUP BY ALL
)
FROM told UNION ALL FROM population WHERE NOT EXISTS (FROM told);
