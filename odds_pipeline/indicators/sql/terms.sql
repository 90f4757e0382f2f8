-- The formulas with numbers: `definitions`, `terms`, `crossings` are the declarations'.
CREATE OR REPLACE TEMP TABLE numbered_terms AS
SELECT d.i, d.driving = k.variable AND k.lag = 0 AS drives, k.side, k.coefficient, k.exact, k.lag, v.v
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN terms k ON k.indicator = d.indicator JOIN numbered_inputs v ON v.variable = k.variable;
CREATE OR REPLACE TEMP TABLE numbered_definitions AS
SELECT d.*, v.v AS driving_v, coalesce(m.v, v.v) AS delivered_v, k.terms,
       k.all_exact AND k.drives AS all_exact
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN numbered_inputs v ON v.variable = d.driving
LEFT JOIN numbered_inputs m ON m.variable = v.total_of
JOIN (SELECT i, count(*) AS terms, bool_and(exact) AS all_exact, bool_or(drives) AS drives
      FROM numbered_terms GROUP BY i) k USING (i);
CREATE OR REPLACE TEMP TABLE numbered_crossings AS
SELECT d.i, c.t, c.until FROM crossings c JOIN numbered_definitions d USING (indicator);
