-- `figures`: what waits in one turn, of feeds whose reading adds up wholes; `parents`: the wholes that a
-- commune counts in. Beside `accepted`, `places` and `mergers`: the months and wholes that lack a commune which
-- the month before had, itself or in the commune that it merged into.
WITH known AS (
    SELECT DISTINCT feed, month, territory, geography FROM figures WHERE level = 'commune'
    UNION
    SELECT DISTINCT feed, month, territory, geography
    FROM accepted SEMI JOIN figures USING (feed, variable) ANTI JOIN figures USING (feed, month, variable)
    WHERE level = 'commune'
), ranked AS (
    SELECT k.*, p.place, dense_rank() OVER (PARTITION BY feed ORDER BY month) AS rank
    FROM known k JOIN places p USING (territory, geography)
), lost AS (
    SELECT n.feed, n.month, b.territory, b.geography
    FROM (SELECT DISTINCT feed, month, rank FROM ranked SEMI JOIN figures USING (feed, month)) n
    JOIN ranked b ON b.feed = n.feed AND b.rank = n.rank - 1
    LEFT JOIN mergers m ON m.territory = b.territory AND m.geography = b.geography
    WHERE NOT EXISTS (
        FROM ranked d WHERE d.feed = n.feed AND d.month = n.month AND d.place IN (b.place, m.place)
    )
)
SELECT DISTINCT l.feed, l.month, p.level, p.whole AS territory FROM lost l JOIN parents p USING (territory, geography)
