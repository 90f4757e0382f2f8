-- Rows finer than their territory, reduced as their column says; a sum over a secret row is secret.
-- A mean is estimated where a row that should weigh in it has no figure: a school with pupils and no index.
-- Reads: parsed (what parse.sql makes of the cells).
WITH given AS (
    SELECT *, value IS NOT NULL AND weight IS NULL AS unweighed,
        value IS NULL AND obs_status <> 'M' AND (weight > 0 OR NOT weighted) AS lacking FROM parsed
)
SELECT variable, territory, level, month,
    CASE WHEN bool_or(conf_status <> 'F') OR (reduce = 'sum' AND bool_or(obs_status <> 'A')) THEN NULL
         WHEN reduce = 'sum' THEN sum(value)
         WHEN reduce = 'mean' AND NOT bool_or(weighted) THEN avg(value)
         WHEN reduce = 'mean' AND NOT bool_or(unweighed)
             THEN sum(value * weight) / nullif(sum(weight) FILTER (value IS NOT NULL), 0)
         WHEN reduce = 'same' AND count(DISTINCT value) = 1 THEN any_value(value)
         WHEN reduce = 'count' THEN count(value) END AS value,
    CASE WHEN bool_or(conf_status <> 'F') THEN 'Q'
         WHEN reduce IN ('sum', 'same') AND bool_or(obs_status <> 'A') THEN max(obs_status)
         WHEN reduce = 'mean' AND count(value) = 0 THEN max(obs_status)
         WHEN reduce = 'mean' AND bool_or(weighted) AND bool_or(unweighed) THEN 'L'
         WHEN reduce = 'mean' AND bool_or(lacking) THEN 'E'
         ELSE 'A' END AS obs_status,
    CASE WHEN bool_or(conf_status <> 'F') THEN 'C' ELSE 'F' END AS conf_status,
    CASE WHEN reduce = 'sum' AND bool_or(obs_status <> 'A' OR conf_status <> 'F') AND min(value) >= 0
         THEN sum(value) END AS lower_bound,
    min(line) AS line, count(*) AS lines, any_value(raw) AS raw,
    coalesce(max(unreadable),
        CASE WHEN min(value) < 0 AND NOT list_contains($signed, variable)
             THEN 'une ligne a ' || min(value) END,
        CASE WHEN reduce = 'same' AND count(DISTINCT value) > 1
             THEN 'selon la ligne : ' || min(value) || ' ou ' || max(value) END) AS unreadable
FROM given WHERE reduce IS NOT NULL GROUP BY variable, territory, level, month, reduce
UNION ALL
SELECT variable, territory, level, month, value, obs_status, conf_status, NULL, line, 1, raw, unreadable
FROM given WHERE reduce IS NULL
ORDER BY variable, level, territory, month, line
