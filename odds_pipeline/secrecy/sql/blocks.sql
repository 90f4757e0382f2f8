-- Families of variables and months with something to protect, now or earlier: a hidden cell, or a small remainder
-- of one in another. Reads `current_cells`, `published_cells` (what past releases said), and of the structure
-- `families` and `remainders`.
WITH secret AS (
    SELECT variable, month FROM current_cells WHERE hidden_by IS NOT NULL
    UNION
    SELECT variable, month FROM published_cells WHERE hidden_by IS NOT NULL
    UNION
    SELECT t.variable, t.month FROM current_cells t
    JOIN remainders r ON r.total = t.variable AND r.threshold > 0
    JOIN current_cells p ON p.variable = r.part AND p.month = t.month AND p.place = t.place
    WHERE t.value - p.value > 0 AND t.value - p.value < r.threshold
), active AS (
    SELECT DISTINCT family, month FROM secret JOIN families USING (variable)
)
SELECT family, variable, month FROM active JOIN families USING (family) ORDER BY ALL
