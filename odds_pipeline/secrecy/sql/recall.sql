-- What was said of the variables and months of `blocks`, release by release. Reads `published_cells`, and of the
-- structure `secrecy_places`. In order: two choices of one weight are told apart by it.
SELECT c.release, c.variable, c.month, p.place, c.value, c.hidden_by, c.small, c.threshold
FROM published_cells c JOIN secrecy_places p USING (territory, geography)
WHERE (c.variable, c.month) IN (SELECT variable, month FROM blocks)
ORDER BY c.release, c.variable, c.month, p.place
