-- Wholes from complete sets of parts, where nothing was delivered for the whole itself: those that an
-- indicator asks for, in a geography that a figure to compute is written in; or all of them.
CREATE OR REPLACE TEMP TABLE wanted AS
WITH asked AS (
    SELECT DISTINCT a.geography FROM (
        SELECT DISTINCT o.p FROM available o JOIN numbered_definitions d ON d.delivered_v = o.v
        WHERE NOT o.converted AND o.t BETWEEN $first AND $last
    ) o JOIN places a ON a.p = o.p
)
SELECT b.p AS part, a.p AS whole, w.parts, w.part_geography <> w.whole_geography AS across
FROM parts w
JOIN places a ON a.territory = w.whole AND a.level = w.whole_level AND a.geography = w.whole_geography
JOIN places b ON b.territory = w.part AND b.level = w.part_level AND b.geography = w.part_geography
WHERE $everything
   OR (w.whole_level IN (SELECT level FROM levels) AND w.whole_geography IN (FROM asked))
