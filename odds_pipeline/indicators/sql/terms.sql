-- The formulas with numbers: `definitions` (a row a product), `terms`, `levels`, `crossings` and
-- `reference_territories` (the territory of level `at` that each lies in) are the declarations'. A term is `here`
-- when its figure is the territory's own, at a distance in months from the value's.
CREATE OR REPLACE TEMP TABLE numbered_terms AS
SELECT d.i, d.driving = k.variable AND k.lag = 0 AND k.at = '' AND k.fixed IS NULL AS drives, k.side, k.coefficient,
       k.exact, k.lag, k.at, k.fixed, k.exact AND k.at = '' AND k.fixed IS NULL AS here, v.v
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN terms k ON k.indicator = d.indicator JOIN numbered_inputs v ON v.variable = k.variable;
CREATE OR REPLACE TEMP TABLE numbered_definitions AS
SELECT d.*, v.v AS driving_v, coalesce(m.v, v.v) AS delivered_v, k.terms, k.divides, k.multiplies,
       count(*) OVER (PARTITION BY d.whole) AS products, k.all_here AND k.drives AS all_exact
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN numbered_inputs v ON v.variable = d.driving
LEFT JOIN numbered_inputs m ON m.variable = v.total_of
JOIN (SELECT i, count(*) AS terms, bool_and(here) AS all_here, bool_or(drives) AS drives,
             bool_or(side = 'denominator') AS divides, bool_or(side = 'multiplier') AS multiplies
      FROM numbered_terms GROUP BY i) k USING (i);
CREATE OR REPLACE TEMP TABLE asked_levels AS SELECT indicator, level FROM levels;
CREATE OR REPLACE TEMP TABLE reference_places AS
WITH own AS MATERIALIZED ( -- else places are joined with places of their geography first, 0.1 s for nothing
    SELECT a.p, r.at, r.reference, r.geography FROM reference_territories r
    JOIN places a ON a.territory = r.territory AND a.level = r.level AND a.geography = r.geography
)
SELECT o.p, o.at, b.p AS reference FROM own o
JOIN places b ON b.territory = o.reference AND b.level = o.at AND b.geography = o.geography;
CREATE OR REPLACE TEMP TABLE numbered_crossings AS
SELECT d.i, c.t, c.until FROM crossings c JOIN numbered_definitions d USING (indicator);
