-- Families of variables and months with something to protect, now or earlier: a hidden cell, or a small remainder
-- of one in another. Reads `current_cells`, `published_cells` (what past releases said), and of the structure
-- `families` and `remainders`.
WITH secret AS (
    SELECT variable, month FROM current_cells WHERE hidden_by IS NOT NULL
    UNION
    SELECT variable, month FROM published_cells WHERE hidden_by IS NOT NULL
    UNION
    SELECT any_value(variable), month FROM current_cells JOIN remainders r USING (variable)
    WHERE r.threshold > 0 GROUP BY r.rest, month, place
    HAVING count(value) = any_value(r.terms) AND sum(r.sign * value) > 0
       AND sum(r.sign * value) < any_value(r.threshold) - 1e-9
), active AS (
    SELECT DISTINCT family, month FROM secret JOIN families USING (variable)
)
SELECT family, variable, month FROM active JOIN families USING (family) ORDER BY ALL
