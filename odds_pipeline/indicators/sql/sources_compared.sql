-- What variables with several sources rest on. `observations` and `deliveries` are the warehouse's tables (see
-- storage/schema.sql), figures that were replaced included; `shared` lists the variables that several feeds deliver.
-- By variable and pair of feeds: on how many figures both told, whether they agree, and the median gap between them where
-- it is that of $enough figures: the gap of one figure would tell the other source's, which may be hidden.
-- A commune is compared whatever the geography of each file: of those that a merger changed there are few, and the gap is a median.
CREATE OR REPLACE TEMP TABLE sources_compared AS
WITH told AS (
    SELECT o.variable, o.month, o.territory, o.level, o.geography, d.feed, arg_max(o.value, o.known_from) AS value
    FROM observations o SEMI JOIN shared USING (variable) JOIN deliveries d ON d.id = o.delivery
    WHERE o.value IS NOT NULL GROUP BY ALL
), compared AS (
    SELECT a.variable, a.feed, b.feed AS other, count(*) AS figures,
           median(abs(a.value - b.value) / nullif(greatest(abs(a.value), abs(b.value)), 0)) AS apart
    FROM told a JOIN told b USING (variable, month, territory, level) WHERE a.feed < b.feed GROUP BY ALL
)
SELECT variable, feed, other, figures, coalesce(apart <= $agreement, false) AS agree,
       CASE WHEN figures >= $enough THEN round(apart, 3) END AS gap
FROM compared
