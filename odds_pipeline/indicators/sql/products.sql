-- The products of formulas: `sides` put together by the shape that all of them share. `p` and `t` are a place and a
-- month; `whole` names the indicator that a product is one of several of.
CREATE OR REPLACE TEMP VIEW products AS
WITH known AS (
    SELECT d.indicator, d.whole, d.whole_factor, d.over, d.low, d.high, d.side, d.products, p.territory, p.level, p.geography,
           d.factor, d.root, d.divides, d.multiplies, s.*,
           s.hidden_by IS NOT NULL AS secret, s.found < d.terms AS missing,
           EXISTS (FROM numbered_crossings c
                   WHERE c.i = s.i AND s.t >= c.t AND s.t < c.until) AS crosses,
           -- A term without any row is absent, which is told apart from the other kinds of missing.
           CASE WHEN s.delivered < d.terms THEN greatest('O', coalesce(s.missing_status, 'O'))
                ELSE s.missing_status END AS why
    FROM sides s JOIN numbered_definitions d ON d.i = s.i JOIN places p ON p.p = s.p
), figures AS (
    SELECT *, numerator * CASE WHEN multiplies THEN multiplier ELSE 1 END AS above,
           CASE WHEN secret OR missing OR crosses THEN NULL
                WHEN NOT divides THEN factor * above
                WHEN denominator <= 0 THEN NULL
                WHEN root IS NOT NULL AND above < 0 THEN NULL
                WHEN root IS NOT NULL THEN factor * (pow(above / denominator, 1.0 / root) - 1)
                ELSE factor * above / denominator END AS value
    FROM known
)
SELECT indicator, whole, whole_factor, over, low, high, side, products, p, t, territory, level, geography, value,
       CASE WHEN secret THEN 'Q' WHEN missing THEN why
            WHEN value IS NULL THEN 'M' ELSE status END AS obs_status,
       hidden_by,
       CASE WHEN NOT secret AND NOT missing THEN numerator END AS numerator,
       CASE WHEN NOT secret AND NOT missing THEN denominator END AS denominator,
       oldest_t, converted, reserve
FROM figures
