-- Whether all decimals of a table are written with the other mark than its format's, without a doubt.
-- Reads: raw_cells. Parameters: own (the format's mark) and other, both ready for a pattern; many.
-- 12.5, 0.125 and 4328.125 cannot be thousands; 4.328 may. A column says which it is only if most of its
-- cells do, and one column that does not, or one cell with the format's own mark, leaves all in doubt.
WITH dotted AS (
    SELECT variable, count(*) AS cells, count(*) FILTER (regexp_full_match(trim(raw, ' %'),
            '[-+]?(\d+' || $other || '(\d{1,2}|\d{4,})|(0|\d{4,})' || $other || '\d{3})')) AS certain
    FROM raw_cells WHERE regexp_matches(raw, '\d' || $other || '\d') GROUP BY variable
)
SELECT coalesce(sum(certain) >= $many AND bool_and(2 * certain > cells), false)
    AND NOT EXISTS (SELECT 1 FROM raw_cells WHERE regexp_matches(raw, '\d' || $own || '\d'))
FROM dotted
