-- What adds up, one cell a place, hidden as it is so far. Reads `marked`, makes `current_cells`.
CREATE OR REPLACE TEMP TABLE current_cells AS
SELECT variable, month, place, max(value) AS value,
       CASE WHEN max(value) IS NULL THEN 'producteur'
            WHEN bool_or(hidden_by IS NOT NULL) THEN 'primaire' END AS hidden_by,
       bool_or(small) AS small, any_value(threshold) AS threshold, max(lower_bound) AS lower_bound
FROM marked
WHERE additive AND (value IS NOT NULL OR (delivered AND hidden_by IS NOT NULL))
GROUP BY variable, month, place;
