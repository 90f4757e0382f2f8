-- Sets beside each value what a reader compares it with, into the temporary table `compared`.
-- `to_compare`: protected values, those converted to another geography marked `converted`.
-- `compared_indicators` (i, sign of the better end, unit), `compared_distances` (months that two values
-- must be apart, from a month on), `compared_breaks`, `compared_sources` (what figures rest on),
-- `compared_territories` (p: the place, the same for a territory that is the same in two geographies).
-- Indicators, places and months are joined as numbers: as text they cost three times as much.
CREATE OR REPLACE TEMP TABLE compared AS
WITH given AS MATERIALIZED (
    SELECT v.*, c.i AS _i, p.p AS _p, month_number(v.month) AS _t,
           p.departement AS _departement, p.position AS _position, c.adds_up AS _adds_up,
           c.scale AS _scale, c.interval AS _interval, c.sign AS _sign,
           (SELECT arg_max(a.months, a.t) FROM compared_distances a
            WHERE a.i = c.i AND a.t <= month_number(v.month)) AS _apart,
           CASE WHEN v.level <> 'france' THEN c.i END AS _below_france
    FROM to_compare v
    JOIN compared_indicators c ON c.indicator = v.indicator
    LEFT JOIN compared_territories p
      ON p.territory = v.territory AND p.level = v.level AND p.geography = v.geography
), known AS MATERIALIZED (
    SELECT g._i, g._p, g._t, any_value(g._apart) AS _apart, any_value(o.source) AS _source,
           arg_max(g.value, g.geography) AS value, bool_or(g.converted) AS converted
    FROM given g LEFT JOIN compared_sources o ON o.i = g._i AND o.t = g._t AND o.level = g.level
    WHERE g.value IS NOT NULL GROUP BY ALL
), countries AS (
    SELECT _i, _t, arg_max(value, _position) AS value, arg_max(territory, _position) AS territory
    FROM given WHERE level = 'france' AND value IS NOT NULL GROUP BY ALL
), communes AS (
    SELECT _i, _t, _p, _departement, geography, converted, _sign * round(value, 9) AS place
    FROM given WHERE level = 'commune' AND value IS NOT NULL
), frames AS (
    FROM communes
    UNION ALL
    -- A converted commune is ranked among those that its geography has left as they were.
    SELECT c._i, c._t, c._p, c._departement, f.geography, c.converted, c.place
    FROM communes c
    JOIN (SELECT DISTINCT _i, _t, geography FROM communes WHERE converted) f
      ON f._i = c._i AND f._t = c._t AND f.geography <> c.geography
    SEMI JOIN compared_territories p ON p.p = c._p AND p.geography = f.geography
    ANTI JOIN communes own ON own._i = c._i AND own._t = c._t AND own._p = c._p
     AND own.geography = f.geography
), ranks AS (
    SELECT _i, _t, _p, geography,
           rank() OVER (PARTITION BY _i, _t, geography, _departement ORDER BY place) AS rank,
           count(*) OVER (PARTITION BY _i, _t, geography, _departement) AS ranked
    FROM frames
), bases AS (
    SELECT g._i, g._p, g._t, any_value(s.value) FILTER (WHERE s.months = 12) AS year,
           any_value(s.value) FILTER (WHERE s.months = 60) AS five,
           bool_or(s.converted) AS converted
    FROM known g
    JOIN (SELECT _i, _p, value, months, converted, _source, _t + months AS later
          FROM known CROSS JOIN (VALUES (12), (60)) AS spans(months)) s
      ON s._i = g._i AND s._p = g._p AND s.later = g._t AND s.months >= g._apart
     AND s._source IS NOT DISTINCT FROM g._source
    LEFT JOIN compared_breaks b ON b.i = g._i AND b.t > g._t - s.months AND b.t <= g._t
    WHERE b.t IS NULL
    GROUP BY ALL
), few(events, low, high) AS (
    -- Exact Poisson limits of a count: 0.025 and 0.975 quantiles of chi-square, halved, with 2n and 2n + 2
    -- degrees of freedom.
    VALUES (0, 0.0, 3.688879454), (1, 0.025317808, 5.571643391), (2, 0.242209279, 7.224687668),
           (3, 0.618672123, 8.767273070), (4, 1.089865374, 10.241588675), (5, 1.623486390, 11.668332079),
           (6, 2.201894253, 13.059474023), (7, 2.814363052, 14.422675362), (8, 3.453832177, 15.763189220),
           (9, 4.115373097, 17.084803451)
), joined AS (
    SELECT g.*, few.low AS _low, few.high AS _high, bases.year AS _year, bases.five AS _five,
           coalesce(bases.converted, false) AS _from_converted,
           CASE WHEN g.value IS NULL OR g.obs_status = 'E'
                     OR NOT (g.numerator >= 0 AND g.denominator > 0) THEN NULL
                WHEN _interval = 'wilson' AND g.numerator <= g.denominator THEN 'wilson'
                WHEN _interval = 'byar' AND g.numerator >= 10 THEN 'byar'
                WHEN _interval = 'byar' THEN 'few' END AS _method,
           d.value AS departement_value, f.value AS france_value, f.territory AS france_territory,
           CAST(r.rank AS INTEGER) AS rank, CAST(r.ranked AS INTEGER) AS ranked
    FROM given g
    LEFT JOIN known d ON d._i = g._i AND d._t = g._t AND d._p = g._departement
    LEFT JOIN countries f ON f._i = g._below_france AND f._t = g._t
    LEFT JOIN ranks r ON r._i = g._i AND r._t = g._t AND r._p = g._p AND r.geography = g.geography
    LEFT JOIN bases ON bases._i = g._i AND bases._p = g._p AND bases._t = g._t
    LEFT JOIN few ON few.events = g.numerator
)
SELECT COLUMNS('^[^_]'),
       CASE WHEN NOT _adds_up THEN value - departement_value END AS difference,
       -- A quarter of fewer than eight is one commune: of 5 in 648 it said « parmi les plus favorables ».
       CASE WHEN ranked >= 8 THEN CAST(1 + 4 * (rank - 1) // ranked AS INTEGER) END AS quartile,
       CASE WHEN _adds_up THEN 100 * (value - _year) / nullif(greatest(_year, 0), 0)
            ELSE value - _year END AS change_1y,
       CASE WHEN _adds_up THEN 100 * (value - _five) / nullif(greatest(_five, 0), 0)
            ELSE value - _five END AS change_5y,
       _from_converted AS from_converted,
       CAST($latest - month_number(oldest_input) AS INTEGER) AS age_months,
       CASE _method WHEN 'wilson' THEN _scale * wilson(numerator, denominator, -1)
                    WHEN 'byar' THEN _scale * byar(numerator, -1) / denominator
                    WHEN 'few' THEN _scale * _low / denominator END AS ci_low,
       CASE _method WHEN 'wilson' THEN _scale * wilson(numerator, denominator, 1)
                    WHEN 'byar' THEN _scale * byar(numerator + 1, 1) / denominator
                    WHEN 'few' THEN _scale * _high / denominator END AS ci_high
FROM joined ORDER BY territory, indicator, month
