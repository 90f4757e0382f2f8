-- `producer_rates`: the rates that producers publish themselves of what is `audited`, with the step of their
-- rounding: six decimals at most. Reads `observations` and `trusted_months`.
CREATE OR REPLACE TEMP TABLE producer_rates AS
WITH rates AS (
    SELECT b.indicator, o.month, o.territory, o.level, o.geography, o.value
    FROM audited b JOIN observations o ON o.variable = b.published_as
    JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
    WHERE o.known_to IS NULL AND o.value IS NOT NULL
), decimals AS (
    SELECT indicator, month,
           max(length(rtrim(split_part(printf('%.6f', value), '.', 2), '0'))) AS decimals
    FROM rates GROUP BY ALL
)
SELECT r.*, pow(10, -d.decimals) AS step FROM rates r JOIN decimals d USING (indicator, month)
