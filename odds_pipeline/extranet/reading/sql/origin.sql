-- `deliveries`, `verdicts` and `overrulings` are those of a release; one row a delivery and month, with
-- what the gate said of it: rules that it tried, those that it passed, the others in words.
WITH wanted AS (
    SELECT unnest($deliveries::VARCHAR[]) AS id, unnest($months::VARCHAR[]) AS month
),
given AS (SELECT d.id, d.sha256, d.feed, w.month FROM deliveries d JOIN wanted w USING (id)),
said AS (
    SELECT g.id, g.sha256, g.feed, g.month, count(*) AS tried, count(*) FILTER (WHERE v.passed) AS passed,
           list({rule: v.rule, remedy: v.remedy}) FILTER (WHERE NOT v.passed) AS others
    FROM given g JOIN release.verdicts v ON v.delivery = g.id AND v.month = g.month GROUP BY ALL
),
overruled AS (
    SELECT g.id, g.month,
           list({rule: o.rule, reason: o.reason, day: strftime(o.decided_at, '%Y-%m-%d')}) AS overruled
    FROM given g JOIN release.overrulings o ON o.delivery = g.id AND o.month = g.month GROUP BY ALL
)
SELECT sha256, feed, month, tried, passed, coalesce(others, []) AS others,
       coalesce(overruled, []) AS overruled
FROM said LEFT JOIN overruled USING (id, month) ORDER BY feed, month, id
