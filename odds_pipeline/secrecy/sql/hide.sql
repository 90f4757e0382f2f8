-- Hides in `available` what `marked` hides, and the cells of `secondary`, in every geography that writes the place.
-- Changes `current_cells`, `marked` and `available`.

UPDATE current_cells c SET hidden_by = 'secondaire' FROM secondary s
WHERE c.variable = s.variable AND c.month = s.month AND c.place = s.place;

-- One place may be written in two geographies: hidden in one, hidden in all.
UPDATE marked m SET hidden_by = c.hidden_by FROM current_cells c
WHERE m.variable = c.variable AND m.month = c.month AND m.place = c.place AND m.additive
  AND m.value IS NOT NULL AND c.hidden_by IS NOT NULL;

CREATE OR REPLACE TEMP TABLE available AS
SELECT a.* REPLACE (
    m.hidden_by AS hidden_by,
    CASE WHEN m.hidden_by IS NULL AND m.rounding > 0 THEN round(a.value / m.rounding) * m.rounding
         WHEN m.hidden_by IS NULL THEN a.value END AS value,
    CASE WHEN m.hidden_by IS NULL THEN a.obs_status ELSE 'Q' END AS obs_status,
    CASE WHEN m.hidden_by IS NULL THEN 'F' WHEN m.hidden_by = 'secondaire' THEN 'D' ELSE 'C' END AS conf_status,
    -- Of a figure that we hide no bound is told, nor one that is itself a small count.
    CASE WHEN m.hidden_by = 'producteur' AND a.lower_bound >= m.threshold THEN a.lower_bound END AS lower_bound)
FROM available a JOIN marked m USING (v, p, t);
