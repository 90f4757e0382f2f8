-- Indicator values: of one product each, or composed of several.
CREATE OR REPLACE TEMP VIEW computed AS
WITH every AS (
    SELECT indicator, t, territory, level, geography, value, obs_status, hidden_by, numerator, denominator, oldest_t,
           converted, reserve
    FROM products WHERE whole IS NULL
    UNION ALL
    FROM composed
)
SELECT f.indicator, m.month, f.territory, f.level, f.geography, f.value, f.obs_status,
       CASE WHEN hidden_by IS NULL THEN 'F' WHEN hidden_by = 'secondaire' THEN 'D' ELSE 'C' END AS conf_status,
       f.hidden_by, f.numerator, f.denominator, o.month AS oldest_input, f.converted, f.reserve
FROM every f JOIN months m ON m.t = f.t LEFT JOIN months o ON o.t = f.oldest_t
