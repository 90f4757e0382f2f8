-- Variables, places (territory, level, geography) and months are numbered: joins and groups over four
-- million figures take a quarter of the time of the same on text. `inputs` (variable, aggregation, total_of, over_window),
-- `parts` and `changed` (territories that a merger changed) are the declarations'; `observations` the warehouse's.
CREATE OR REPLACE TEMP TABLE numbered_inputs AS
SELECT i.* REPLACE (total_of::VARCHAR AS total_of, over_window::VARCHAR AS over_window),
       row_number() OVER (ORDER BY i.variable)::INTEGER AS v FROM inputs i;
CREATE OR REPLACE TEMP TABLE places AS
SELECT *, row_number() OVER (ORDER BY territory, level, geography)::INTEGER AS p,
       (territory, geography) IN (SELECT territory, geography FROM changed) AS changed
FROM (SELECT DISTINCT territory, level, geography FROM observations
      WHERE known_to IS NULL AND variable IN (SELECT variable FROM inputs)
      UNION SELECT whole, whole_level, whole_geography FROM parts
      UNION SELECT part, part_level, part_geography FROM parts);
