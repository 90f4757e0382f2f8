-- Which figures are secret by themselves. Reads `available` with `numbered_inputs` and `places` (its variables and
-- territories), and of the structure `secrecy_rules`, `largest`, `secrecy_places`, `parts`. Makes `figures`,
-- `available` with names instead of numbers, and `marked`, the same with the rule and, in `hidden_by`, why a
-- figure is hidden so far.

CREATE OR REPLACE TEMP TABLE figures AS
SELECT a.*, i.variable, printf('%04d-%02d', (a.t - 1) // 12, (a.t - 1) % 12 + 1) AS month,
       b.territory, b.level, b.geography
FROM available a JOIN numbered_inputs i USING (v) JOIN places b USING (p);

CREATE OR REPLACE TEMP TABLE marked AS
WITH contributions AS (
    SELECT l.variable, a.t, a.territory, a.geography,
           sum(a.value) FILTER (WHERE l.place <= l.largest) AS several,
           sum(a.value) FILTER (WHERE l.place = 1) AS first,
           coalesce(sum(a.value) FILTER (WHERE l.place = 2), 0) AS second
    FROM largest l JOIN figures a ON a.variable = l.source GROUP BY ALL
), ruled AS (
    SELECT a.*, r.* EXCLUDE (variable), p.place, c.value AS counted, c.hidden_by AS counted_hidden,
           d.several, d.first, d.second
    FROM figures a
    JOIN secrecy_rules r ON r.variable = a.variable
    JOIN secrecy_places p ON p.territory = a.territory AND p.geography = a.geography
    LEFT JOIN figures c ON c.variable = r.counted_by AND c.t = a.t
         AND c.territory = a.territory AND c.geography = a.geography
    LEFT JOIN contributions d ON d.variable = a.variable AND d.t = a.t
         AND d.territory = a.territory AND d.geography = a.geography
), asked AS (
    SELECT DISTINCT r.population, a.territory, a.geography, a.t
    FROM figures a JOIN secrecy_rules r USING (variable) WHERE r.minimum > 0
), inhabitants AS (
    FROM figures SEMI JOIN asked ON asked.population = variable
), inhabited AS (
    -- The latest before, once a place and month: looked for of each figure it was half of all this.
    SELECT q.*, n.value FROM asked q ASOF JOIN inhabitants n
      ON n.variable = q.population AND n.territory = q.territory AND n.geography = q.geography
     AND q.t >= n.t
)
SELECT f.v, f.p, f.t, f.variable, f.month, f.territory, f.level, f.geography, f.place,
       f.delivered, f.additive, f.threshold, f.rounding, f.lower_bound, f.value,
       coalesce(f.threshold > 0 AND f.value > 0 AND f.value < f.threshold, false) AS small,
       CASE WHEN f.hidden_by IS NOT NULL THEN f.hidden_by
            WHEN f.value IS NULL THEN NULL
            WHEN small OR f.contribution THEN 'primaire'
            WHEN f.counted_hidden IS NOT NULL THEN 'primaire'
            WHEN f.counted > 0 AND f.counted < f.counted_threshold THEN 'primaire'
            WHEN f.variable <> f.population AND n.value < f.minimum THEN 'primaire'
            WHEN f.several > f.value * f.share / 100 THEN 'primaire'
            WHEN f.value - f.first - f.second < f.first * f.p_percent / 100 THEN 'primaire'
       END AS hidden_by
FROM ruled f LEFT JOIN inhabited n
  ON n.population = f.population AND n.territory = f.territory AND n.geography = f.geography AND n.t = f.t;

-- A mean over communes tells the one that is hidden, its weights being known: it is hidden too.
UPDATE marked m SET hidden_by = 'primaire'
WHERE NOT additive AND NOT delivered AND value IS NOT NULL AND EXISTS (
    FROM marked o JOIN parts p ON p.part = o.territory AND p.part_geography = o.geography
    WHERE o.variable = m.variable AND o.t = m.t AND o.hidden_by IS NOT NULL
      AND p.whole = m.territory AND p.whole_geography = m.geography
);
