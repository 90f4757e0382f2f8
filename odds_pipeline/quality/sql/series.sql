-- Made for each audit from `read`, `accepted`, `variables`, `places`, `mergers`, `population`, `former` and
-- `delivered_columns`.

CREATE OR REPLACE TEMP TABLE columns AS
SELECT c.*, EXISTS (FROM former f WHERE f.feed = c.feed AND f.name = c.column_name) AS known
FROM delivered_columns c;

CREATE OR REPLACE TEMP TABLE delivery AS
SELECT r.*, coalesce(p.place, r.territory || '@' || r.geography) AS place
FROM read r LEFT JOIN places p USING (territory, geography);

CREATE OR REPLACE TEMP TABLE residents AS
SELECT p.place, max(population) AS population FROM population JOIN places p USING (territory, geography)
GROUP BY ALL
UNION ALL
SELECT m.place, sum(population) FROM population JOIN mergers m USING (territory, geography)
WHERE m.place NOT IN (SELECT place FROM population JOIN places USING (territory, geography))
GROUP BY m.place, m.geography HAVING count(*) = any_value(m.parts);

CREATE OR REPLACE TEMP TABLE series AS
WITH known AS (
    SELECT feed, variable, month, territory, level, geography, place, value, conf_status, lines
    FROM delivery
    UNION ALL BY NAME
    SELECT a.feed, a.variable, a.month, a.territory, a.level, a.geography,
           coalesce(p.place, a.territory || '@' || a.geography) AS place, a.value, a.conf_status, a.lines
    FROM accepted a ANTI JOIN delivery d USING (month, level, variable)
    LEFT JOIN places p USING (territory, geography)
    WHERE a.feed IN (SELECT feed FROM delivery)
)
SELECT *, dense_rank() OVER (PARTITION BY feed, level ORDER BY month) AS rank FROM known;

-- Figures of the communes that merged since, added up: the past of the commune that they make.
CREATE OR REPLACE TEMP TABLE converted AS
SELECT s.feed, s.variable, s.month, s.level, m.place, sum(s.value) AS value,
       any_value(s.conf_status) AS conf_status, sum(s.lines) AS lines
FROM series s JOIN mergers m USING (territory, geography) JOIN variables v USING (feed, variable)
WHERE s.level = 'commune' AND v.aggregation = 'sum'
GROUP BY ALL HAVING count(s.value) = any_value(m.parts);

-- Neighbours: the median of the three months on each side, which one wrong month does not move. Of a month that is
-- the only one, what was accepted for it before.
CREATE OR REPLACE TEMP TABLE compared AS
WITH known AS (
    FROM series UNION ALL BY NAME FROM converted
), windowed AS (
    SELECT *, median(value) OVER near AS neighbours, lag(value) OVER own AS previous,
           lag(conf_status) OVER own AS previous_conf, lag(month) OVER own AS previous_month,
           lag(lines) OVER own AS previous_lines, count(*) OVER near = 0 AS alone
    FROM known
    WINDOW own AS (PARTITION BY variable, level, place ORDER BY month),
           near AS (PARTITION BY variable, level, place ORDER BY month
                    ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW)
), before AS (
    SELECT a.feed, a.variable, a.month, a.level, p.place, any_value(a.value) AS value,
           any_value(a.conf_status) AS conf_status, any_value(a.lines) AS lines
    FROM accepted a JOIN places p USING (territory, geography)
    WHERE (a.feed, a.month) IN (SELECT feed, month FROM delivery) GROUP BY ALL
), dated AS (
    SELECT w.* EXCLUDE (alone) REPLACE (
        coalesce(w.neighbours, b.value) AS neighbours, coalesce(w.previous, b.value) AS previous,
        coalesce(w.previous_conf, b.conf_status) AS previous_conf,
        coalesce(w.previous_month, b.month) AS previous_month,
        coalesce(w.previous_lines, b.lines) AS previous_lines)
    FROM windowed w LEFT JOIN before b ON w.alone AND b.feed = w.feed AND b.variable = w.variable
         AND b.month = w.month AND b.level = w.level AND b.place = w.place
)
SELECT w.*, v.kind, v.scale, y.value AS year_before
FROM dated w JOIN variables v USING (feed, variable)
LEFT JOIN known y ON y.variable = w.variable AND y.level = w.level AND y.place = w.place
     AND y.month = (CAST(left(w.month, 4) AS INTEGER) - 1) || right(w.month, 3)
WHERE w.territory IS NOT NULL AND (w.feed, w.month) IN (SELECT feed, month FROM delivery);
