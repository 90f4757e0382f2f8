-- `current`: the values of the indicators of `audited`, with the bounds of their units. `compared`: the same
-- beside what was `released` of them.
CREATE OR REPLACE TEMP TABLE current AS
SELECT v.indicator, month, territory, level, geography, value, obs_status, conf_status,
       b.minimum, b.maximum
FROM indicator_values v JOIN audited b USING (indicator);
CREATE OR REPLACE TEMP TABLE compared AS
SELECT indicator, month, territory, level, geography, c.value, c.conf_status, r.value AS published
FROM current c FULL JOIN (
    FROM released WHERE NOT converted AND indicator IN (SELECT indicator FROM audited)
) r USING (indicator, month, territory, level, geography)
