-- What changed from one release (attached as old) to the next (new), counted by indicator.
WITH visible AS (SELECT unnest($visible::VARCHAR[]) AS indicator),
old AS (SELECT indicator, month, territory, geography, value, obs_status FROM old.indicator_values
        SEMI JOIN visible USING (indicator)),
fresh AS (SELECT indicator, month, territory, geography, value, obs_status FROM new.indicator_values
          SEMI JOIN visible USING (indicator))
SELECT indicator,
       count(*) FILTER (WHERE old.indicator IS NULL AND fresh.value IS NOT NULL) AS added,
       count(*) FILTER (WHERE old.value IS NOT NULL AND fresh.value IS NOT NULL
                        AND abs(old.value - fresh.value) > 1e-9 * greatest(1, abs(old.value)))
           AS revised,
       count(*) FILTER (WHERE old.value IS NOT NULL AND fresh.value IS NULL) AS withdrawn
FROM old FULL JOIN fresh USING (indicator, month, territory, geography)
GROUP BY indicator HAVING added + revised + withdrawn > 0
ORDER BY revised DESC, withdrawn DESC, added DESC, indicator
