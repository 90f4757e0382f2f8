-- A warehouse of version 2 of the schema.
CREATE TABLE IF NOT EXISTS deliveries (
    id VARCHAR PRIMARY KEY,
    sha256 VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    part VARCHAR,
    size BIGINT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    received_order INTEGER NOT NULL,
    feed VARCHAR,
    format VARCHAR,
    geography INTEGER,
    ignored_rows INTEGER,
    unknown_columns VARCHAR[],
    simulated BOOLEAN NOT NULL,
    reason VARCHAR,
    levels VARCHAR[]
);
CREATE TABLE IF NOT EXISTS delivered_months (
    delivery VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    judgement INTEGER,
    judged_at TIMESTAMP,
    PRIMARY KEY (delivery, month)
);

CREATE TABLE IF NOT EXISTS verdicts (
    delivery VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    message VARCHAR NOT NULL,
    remedy VARCHAR NOT NULL,
    failing INTEGER NOT NULL,
    rows VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS overrulings (
    delivery VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    PRIMARY KEY (delivery, month, rule)
);

CREATE TABLE IF NOT EXISTS observations (
    variable VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    territory VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    geography INTEGER NOT NULL,
    value DOUBLE,
    obs_status VARCHAR NOT NULL,
    conf_status VARCHAR NOT NULL,
    lower_bound DOUBLE,
    delivery VARCHAR NOT NULL,
    line INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    known_from INTEGER NOT NULL,
    known_to INTEGER,
    correction VARCHAR
);

CREATE TABLE IF NOT EXISTS indicator_values (
    indicator VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    territory VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    geography INTEGER NOT NULL,
    value DOUBLE,
    obs_status VARCHAR NOT NULL,
    conf_status VARCHAR NOT NULL,
    numerator DOUBLE,
    denominator DOUBLE,
    oldest_input VARCHAR,
    reserve VARCHAR
);
CREATE TABLE IF NOT EXISTS indicator_bases (
    indicator VARCHAR PRIMARY KEY,
    basis VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS indicator_verdicts (
    indicator VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    message VARCHAR NOT NULL,
    remedy VARCHAR NOT NULL,
    failing INTEGER NOT NULL,
    rows VARCHAR NOT NULL,
    basis VARCHAR NOT NULL,
    judged_at TIMESTAMP NOT NULL,
    PRIMARY KEY (indicator, rule)
);
CREATE TABLE IF NOT EXISTS published_cells (
    release INTEGER NOT NULL,
    variable VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    territory VARCHAR NOT NULL,
    geography INTEGER NOT NULL,
    value DOUBLE,
    hidden_by VARCHAR,
    small BOOLEAN NOT NULL,
    threshold INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS settled_blocks (
    release INTEGER NOT NULL,
    family INTEGER NOT NULL,
    month VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS audited_cells (
    release INTEGER NOT NULL,
    variable VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    hidden_by VARCHAR,
    current BOOLEAN NOT NULL,
    low DOUBLE,
    high DOUBLE,
    told BOOLEAN NOT NULL,
    recoverable BOOLEAN NOT NULL
);

ALTER TABLE observations ADD COLUMN IF NOT EXISTS correction VARCHAR;
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS levels VARCHAR[];
ALTER TABLE indicator_values ADD COLUMN IF NOT EXISTS reserve VARCHAR;
DROP TABLE IF EXISTS schema_version;
DROP VIEW IF EXISTS trusted_months;
DROP VIEW IF EXISTS quarantine;
CREATE TABLE schema_migrations (number INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL);
INSERT INTO schema_migrations VALUES (1, 'tables', '2026-11-28 09:40:00'), (2, 'audits', '2026-11-28 10:20:00');CREATE TABLE IF NOT EXISTS audits (
    delivery VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    turn INTEGER NOT NULL,
    basis VARCHAR NOT NULL,
    PRIMARY KEY (delivery, month)
);

CREATE TABLE IF NOT EXISTS staged (
    delivery VARCHAR NOT NULL,
    variable VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    territory VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    geography INTEGER NOT NULL,
    value DOUBLE,
    obs_status VARCHAR NOT NULL,
    conf_status VARCHAR NOT NULL,
    lower_bound DOUBLE,
    line INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    correction VARCHAR
);
INSERT INTO deliveries VALUES
    ('a1', 'a1', 'f_2023.csv', NULL, 10, '2024-01-05 10:00:00', 1, 'p/f', 'v1', 2023, 0, [], false, NULL, ['commune']),
    ('b2', 'b2', 'f_2024.csv', NULL, 11, '2025-01-05 10:00:00', 2, 'p/f', 'v1', 2024, 1, ['x'], false, NULL, NULL);
INSERT INTO delivered_months VALUES
    ('a1', 'p/f', '2023-12', 'accepted', 1, '2024-01-05 10:01:00'), ('b2', 'p/f', '2024-12', 'refused', 2, '2025-01-05 10:01:00');
INSERT INTO verdicts VALUES
    ('a1', '2023-12', 'total', 'critical', false, 'écart', 'corriger', 1, '[]'),
    ('b2', '2024-12', 'total', 'critical', false, 'écart', 'corriger', 1, '[]');
INSERT INTO overrulings VALUES ('a1', '2023-12', 'total', 'connu', 'le responsable', '2024-01-06 09:00:00');
INSERT INTO observations VALUES
    ('p.v', '2023-12', '93001', 'commune', 2023, 7.5, 'A', 'F', NULL, 'a1', 2, 1, 1, NULL, NULL),
    ('p.v', '2023-12', '93005', 'commune', 2023, NULL, 'M', 'C', 5, 'a1', 3, 1, 1, 2, 'corrigé');
INSERT INTO indicator_values VALUES ('i', '2023-12', '93001', 'commune', 2023, 7.5, 'A', 'F', NULL, NULL, '2023-12', 'Publié malgré');
INSERT INTO indicator_bases VALUES ('i', 'x|y');
INSERT INTO indicator_verdicts VALUES ('i', 'r', 'critical', true, '', '', 0, '[]', 'x', '2024-01-06 09:00:00');
INSERT INTO published_cells VALUES (1, 'p.v', '2023-12', '93001', 2023, 7.5, NULL, false, 5);
-- How each delivery came: when its file was last written, which tells the newer of two; the fingerprint of
-- the contracts it was recognised under, which tells whether others may read it; what else the file held.
CREATE TABLE IF NOT EXISTS arrivals (
    delivery VARCHAR NOT NULL,
    dated TIMESTAMP NOT NULL,
    contracts VARCHAR,
    rest VARCHAR[]
);
INSERT INTO arrivals SELECT id, received_at, NULL, NULL FROM deliveries;

-- Files that a person said are no deliveries, and why: they are not listed again.
CREATE TABLE IF NOT EXISTS dismissals (
    sha256 VARCHAR PRIMARY KEY,
    reason VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL
);
INSERT INTO schema_migrations VALUES (3, 'received', '2026-11-28 10:56:00');
-- Where the bytes of a delivery were taken from: JSON of reception/origin.py.
CREATE TABLE origins (
    delivery VARCHAR NOT NULL,
    origin VARCHAR NOT NULL
);
INSERT INTO schema_migrations VALUES (4, 'origin', '2026-11-29 09:00:00');
