-- Made for each audit from `delivery`, `accepted`, `variables`, `former` and `delivered_columns`.

CREATE OR REPLACE TEMP TABLE columns AS
SELECT c.*, EXISTS (FROM former f WHERE f.feed = c.feed AND f.name = c.column_name) AS known
FROM delivered_columns c;

CREATE OR REPLACE TEMP TABLE series AS
WITH known AS (
    SELECT feed, variable, month, territory, level, geography, value, conf_status, lines FROM delivery
    UNION ALL BY NAME
    SELECT a.feed, a.variable, a.month, a.territory, a.level, a.geography, a.value, a.conf_status, a.lines
    FROM accepted a ANTI JOIN delivery d USING (month, level, variable)
    WHERE a.feed IN (SELECT feed FROM delivery)
)
SELECT *, dense_rank() OVER (PARTITION BY variable, level ORDER BY month) AS rank FROM known;

-- Neighbours: the median of the three months on each side, which one wrong month does not move.
CREATE OR REPLACE TEMP TABLE compared AS
WITH windowed AS (
    SELECT *, median(value) OVER near AS neighbours, lag(value) OVER own AS previous,
           lag(conf_status) OVER own AS previous_conf, lag(month) OVER own AS previous_month,
           lag(lines) OVER own AS previous_lines
    FROM series
    WINDOW own AS (PARTITION BY variable, territory, level, geography ORDER BY month),
           near AS (PARTITION BY variable, territory, level, geography ORDER BY month
                    ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW)
)
SELECT w.*, v.kind, v.scale, y.value AS year_before
FROM windowed w JOIN variables v USING (feed, variable)
LEFT JOIN series y ON y.variable = w.variable AND y.territory = w.territory AND y.level = w.level
     AND y.geography = w.geography
     AND y.month = (CAST(left(w.month, 4) AS INTEGER) - 1) || right(w.month, 3)
WHERE (w.feed, w.month) IN (SELECT feed, month FROM delivery);
