-- The parts of a territory that a formula goes over: its communes, or its neighbourhoods.
CREATE OR REPLACE TEMP TABLE inside AS
SELECT part, whole, parts FROM wanted WHERE NOT across
UNION ALL
SELECT b.p, a.p, n.parts FROM neighbourhoods n
JOIN places a ON a.territory = n.whole AND a.level = 'commune' AND a.geography = n.geography
JOIN places b ON b.territory = n.part AND b.level = n.part_level AND b.geography = n.geography
WHERE n.part_level IN (SELECT level FROM levels)
