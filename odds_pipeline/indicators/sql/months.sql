-- The month that each number of `sides` stands for.
CREATE OR REPLACE TEMP TABLE months AS
SELECT t, printf('%04d-%02d', (t - 1) // 12, (t - 1) % 12 + 1) AS month
FROM (SELECT DISTINCT t FROM sides UNION SELECT DISTINCT oldest_t FROM sides) WHERE t IS NOT NULL
