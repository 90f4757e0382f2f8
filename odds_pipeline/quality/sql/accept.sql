-- `incoming`: the accepted months of one turn, as they were read; `turn`: the judgement of each delivery. They
-- end what they replace: their variables, months, levels and départements (`lies_in`), for other levels of a
-- feed, and another département, come in files of their own. A figure that is the same as the one in use stays,
-- unless that one stood on an overruled rule or lost its verdict (`standing`).
UPDATE observations o SET known_to = r.judgement
FROM (
    SELECT DISTINCT n.variable, n.month, n.level, coalesce(p.departement, '') AS departement, t.judgement
    FROM incoming n JOIN turn t USING (delivery) LEFT JOIN lies_in p USING (level, territory)
) r
WHERE o.known_to IS NULL AND o.variable = r.variable AND o.month = r.month AND o.level = r.level
  AND r.departement = coalesce(
          (SELECT p.departement FROM lies_in p WHERE p.level = o.level AND p.territory = o.territory), '')
  AND NOT EXISTS (
      FROM incoming n
      WHERE o.variable = n.variable AND o.month = n.month AND o.territory = n.territory
        AND o.level = n.level AND o.geography = n.geography
        AND o.value IS NOT DISTINCT FROM n.value AND o.obs_status = n.obs_status
        AND o.conf_status = n.conf_status AND o.lower_bound IS NOT DISTINCT FROM n.lower_bound
        AND EXISTS (FROM standing s WHERE s.delivery = o.delivery AND s.month = o.month)
  )
