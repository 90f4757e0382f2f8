-- `computed` less the values that their own rule hides, though every figure they rest on may be read. `value_rules`
-- has the least numerator and denominator of each indicator; 0: any. Makes `protected`. The mark is one of its own:
-- N, not for publication; C would tell that a figure is a small count.
CREATE OR REPLACE TEMP TABLE protected AS
SELECT c.* EXCLUDE hides REPLACE (
    CASE WHEN hides THEN NULL ELSE value END AS value,
    CASE WHEN hides THEN 'Q' ELSE obs_status END AS obs_status,
    CASE WHEN hides THEN 'N' ELSE conf_status END AS conf_status,
    CASE WHEN hides THEN 'resultat' ELSE hidden_by END AS hidden_by,
    CASE WHEN hides THEN NULL ELSE numerator END AS numerator,
    CASE WHEN hides THEN NULL ELSE denominator END AS denominator)
FROM (
    SELECT c.*, c.hidden_by IS NULL AND c.value IS NOT NULL AND (
               coalesce(c.numerator <> 0 AND abs(c.numerator) < r.least_numerator, false)
               OR coalesce(c.denominator > 0 AND c.denominator < r.least_denominator, false)) AS hides
    FROM computed c JOIN value_rules r USING (indicator)
) c
