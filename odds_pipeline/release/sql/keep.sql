-- In `protected`, what is `held` gives way to what is `kept` of it. A cell that is to be hidden today is hidden,
-- whatever the last release said of it.
CREATE OR REPLACE TEMP TABLE secret AS SELECT * FROM protected
WHERE conf_status <> 'F' AND indicator IN (SELECT indicator FROM held);

DELETE FROM protected WHERE indicator IN (SELECT indicator FROM held);

INSERT INTO protected BY NAME FROM kept
ANTI JOIN secret USING (indicator, month, territory, geography, converted);

INSERT INTO protected BY NAME SELECT s.* REPLACE (k.reserve AS reserve) FROM secret s
JOIN kept k USING (indicator, month, territory, geography, converted);
