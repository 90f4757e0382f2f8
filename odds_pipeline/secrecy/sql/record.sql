-- Adds to `published_cells` what a release says anew of the cells of `current_cells`. Of the structure it reads
-- `secrecy_places`; a place is noted under its first territory and geography.
INSERT INTO published_cells BY NAME
WITH said AS (
    FROM published_cells QUALIFY row_number() OVER (
        PARTITION BY variable, month, territory, geography ORDER BY release DESC) = 1
), named AS (
    SELECT place, arg_min(territory, geography) AS territory, min(geography) AS geography
    FROM secrecy_places GROUP BY place
)
SELECT $release AS release, c.variable, c.month, p.territory, p.geography, c.value, c.hidden_by, c.small,
       c.threshold
FROM current_cells c JOIN named p USING (place)
LEFT JOIN said s ON s.variable = c.variable AND s.month = c.month
     AND s.territory = p.territory AND s.geography = p.geography
WHERE s.release IS NULL OR s.value IS DISTINCT FROM c.value OR s.hidden_by IS DISTINCT FROM c.hidden_by
