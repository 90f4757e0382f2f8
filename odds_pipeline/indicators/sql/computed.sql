-- Indicator values: `sides` put together by the shape that all formulas share.
CREATE OR REPLACE TEMP VIEW computed AS
WITH known AS (
    SELECT d.indicator, p.territory, p.level, p.geography, d.factor, d.root, d.divides, s.*,
           s.hidden_by IS NOT NULL AS secret, s.found < d.terms AS missing,
           EXISTS (FROM numbered_crossings c
                   WHERE c.i = s.i AND s.t >= c.t AND s.t < c.until) AS crosses,
           -- A term without any row is absent, which is told apart from the other kinds of missing.
           CASE WHEN s.delivered < d.terms THEN greatest('O', coalesce(s.missing_status, 'O'))
                ELSE s.missing_status END AS why
    FROM sides s JOIN numbered_definitions d ON d.i = s.i JOIN places p ON p.p = s.p
), figures AS (
    SELECT *, CASE WHEN secret OR missing OR crosses THEN NULL
                   WHEN NOT divides THEN factor * numerator
                   WHEN denominator <= 0 THEN NULL
                   WHEN root IS NOT NULL AND numerator < 0 THEN NULL
                   WHEN root IS NOT NULL THEN factor * (pow(numerator / denominator, 1.0 / root) - 1)
                   ELSE factor * numerator / denominator END AS value
    FROM known
)
SELECT f.indicator, m.month, f.territory, f.level, f.geography, f.value,
       CASE WHEN secret THEN 'Q' WHEN missing THEN why
            WHEN value IS NULL THEN 'M' ELSE status END AS obs_status,
       CASE WHEN NOT secret THEN 'F' WHEN hidden_by = 'secondaire' THEN 'D' ELSE 'C' END AS conf_status,
       hidden_by,
       CASE WHEN NOT secret AND NOT missing THEN numerator END AS numerator,
       CASE WHEN NOT secret AND NOT missing THEN denominator END AS denominator,
       o.month AS oldest_input, f.converted, f.reserve
FROM figures f JOIN months m ON m.t = f.t LEFT JOIN months o ON o.t = f.oldest_t
