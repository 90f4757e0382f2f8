-- A class file made of the widest one, attached as `widest`, less what its class may not read: `given` says the
-- classes it may, whether provisional figures are among it (they are for members first), and the variables.
CREATE TABLE definitions AS
FROM widest.definitions WHERE list_contains((SELECT access FROM given), access);
CREATE TABLE inputs AS FROM widest.inputs WHERE indicator IN (SELECT indicator FROM definitions);
CREATE TABLE territories AS FROM widest.territories;

CREATE TABLE observations AS
FROM widest.observations WHERE variable IN (SELECT unnest(variables) FROM given)
AND ((SELECT provisional FROM given) OR obs_status <> 'P');

CREATE TABLE sources_compared AS
FROM widest.sources_compared WHERE variable IN (SELECT unnest(variables) FROM given);
CREATE TABLE deliveries AS
FROM widest.deliveries WHERE id IN (SELECT delivery FROM observations);
CREATE TABLE verdicts AS
FROM widest.verdicts WHERE delivery IN (SELECT id FROM deliveries);
CREATE TABLE overrulings AS
FROM widest.overrulings WHERE delivery IN (SELECT id FROM deliveries);
