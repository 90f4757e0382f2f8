-- The cells that the last release hid as `secondaire` in blocks that stand. Reads `blocks`, `settled`,
-- `current_cells`, `published_cells`, and of the structure `secrecy_places`.
WITH said AS (
    FROM published_cells QUALIFY row_number() OVER (
        PARTITION BY variable, month, territory, geography ORDER BY release DESC) = 1
)
SELECT DISTINCT c.variable, c.month, c.place
FROM current_cells c
JOIN blocks b ON b.variable = c.variable AND b.month = c.month
SEMI JOIN settled s ON s.family = b.family AND s.month = b.month
JOIN secrecy_places p ON p.place = c.place
JOIN said ON said.variable = c.variable AND said.month = c.month
     AND said.territory = p.territory AND said.geography = p.geography
WHERE said.hidden_by = 'secondaire'
