-- The widest class file, attached as `release`: all that was published of the open warehouse, its `origins`
-- included, and of the registered `definitions_view`, `inputs_view`, `territories_view` and `public_feeds`.
CREATE TABLE release.definitions AS FROM definitions_view;
CREATE TABLE release.inputs AS FROM inputs_view;
CREATE TABLE release.territories AS FROM territories_view;

-- What the protected figures say of each accepted observation: a hidden one keeps its line, not its
-- value. A delivery is named by its number: the sha256 of a file that is not public would tell who
-- guesses its hidden figures that the guess is right, and its size how many digits they have.
CREATE TABLE release.observations AS
SELECT o.* EXCLUDE (known_to)
       REPLACE (CAST(d.received_order AS VARCHAR) AS delivery,
                a.value AS value, a.obs_status AS obs_status, a.conf_status AS conf_status,
                a.lower_bound AS lower_bound),
       a.hidden_by
FROM observations o
JOIN deliveries d ON d.id = o.delivery
JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
JOIN marked k ON k.variable = o.variable AND k.month = o.month AND k.territory = o.territory
             AND k.level = o.level AND k.geography = o.geography
JOIN available a USING (v, p, t)
WHERE o.known_to IS NULL
ORDER BY o.variable, o.territory, o.month;

CREATE TABLE release.deliveries AS
SELECT * EXCLUDE (size) REPLACE (
           CAST(received_order AS VARCHAR) AS id,
           CASE WHEN feed IN (SELECT feed FROM public_feeds) THEN sha256 END AS sha256),
       (SELECT any_value(o.origin) FROM origins o WHERE o.delivery = deliveries.id) AS origin
FROM deliveries WHERE CAST(received_order AS VARCHAR) IN (SELECT delivery FROM release.observations);

-- The first failing rows of a verdict, and what it says of them, show figures before protection.
CREATE TABLE release.verdicts AS
SELECT v.* REPLACE (
    d.id AS delivery, '[]' AS rows,
    CASE WHEN failing = 0 THEN message ELSE 'Voir la notice adressée au producteur.' END AS message)
FROM verdicts v JOIN deliveries w ON w.id = v.delivery JOIN release.deliveries d USING (received_order);

CREATE TABLE release.sources_compared AS FROM sources_compared;

CREATE TABLE release.overrulings AS
SELECT v.* REPLACE (d.id AS delivery)
FROM overrulings v JOIN deliveries w ON w.id = v.delivery
JOIN release.deliveries d USING (received_order);
