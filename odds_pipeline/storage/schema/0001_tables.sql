-- The tables as they stood before migrations had numbers: on an empty warehouse it makes them, on an
-- older one it adds what it lacks. Observations are never deleted: a value replaced or withdrawn gets
-- `known_to`, the number of the judgement that ended it.

CREATE TABLE IF NOT EXISTS deliveries (
    id VARCHAR PRIMARY KEY,            -- sha256, #n for the n-th table of the file, @n when sent again
    sha256 VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    part VARCHAR,                      -- member of an archive, sheet of a workbook
    size BIGINT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    received_order INTEGER NOT NULL,
    feed VARCHAR,                      -- NULL: set aside
    format VARCHAR,
    geography INTEGER,
    ignored_rows INTEGER,
    unknown_columns VARCHAR[],
    simulated BOOLEAN NOT NULL,
    reason VARCHAR,                    -- why it was set aside or refused whole
    levels VARCHAR[]                   -- territory levels of its figures; NULL when none could be read
);

-- The months a delivery holds and what became of each: pending, accepted, refused.
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
    rows VARCHAR NOT NULL              -- JSON: the first failing rows
);

-- Rules that a person set aside for one month of one delivery, and why.
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
    correction VARCHAR                 -- French: the known error of the source that was corrected
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
    oldest_input VARCHAR,              -- reference month of the oldest figure the value rests on
    reserve VARCHAR                    -- French: what was overruled for a figure the value rests on
);

-- What each indicator's whole history was last computed from: a fingerprint of its definition and of
-- the trusted months of its feeds.
CREATE TABLE IF NOT EXISTS indicator_bases (
    indicator VARCHAR PRIMARY KEY,
    basis VARCHAR NOT NULL
);

-- What the suites of the indicators said of their values last: one row a rule. `basis` is a fingerprint
-- of the values and of the rules, unchanged values are not audited again.
CREATE TABLE IF NOT EXISTS indicator_verdicts (
    indicator VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    message VARCHAR NOT NULL,
    remedy VARCHAR NOT NULL,
    failing INTEGER NOT NULL,
    rows VARCHAR NOT NULL,             -- JSON: the first failing rows
    basis VARCHAR NOT NULL,
    judged_at TIMESTAMP NOT NULL,
    PRIMARY KEY (indicator, rule)
);

-- What each release said of each figure that adds up, true values included, for secrecy: a line when
-- something changed. Readers never see this table.
CREATE TABLE IF NOT EXISTS published_cells (
    release INTEGER NOT NULL,
    variable VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    territory VARCHAR NOT NULL,
    geography INTEGER NOT NULL,
    value DOUBLE,
    hidden_by VARCHAR,                 -- NULL: published
    small BOOLEAN NOT NULL,            -- under its threshold
    threshold INTEGER NOT NULL
);

-- The blocks of secrecy (family of variables, month) as the last release left them, and what its audit
-- found of their cells: a block whose fingerprint is unchanged is not decided again.
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
    told BOOLEAN NOT NULL,             -- an earlier release had shown it
    recoverable BOOLEAN NOT NULL
);

ALTER TABLE observations ADD COLUMN IF NOT EXISTS correction VARCHAR;
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS levels VARCHAR[];
ALTER TABLE indicator_values ADD COLUMN IF NOT EXISTS reserve VARCHAR;

-- What came before the numbers: a fingerprint, and views that are the program's own now (views.sql).
DROP TABLE IF EXISTS schema_version;
DROP VIEW IF EXISTS trusted_months;
DROP VIEW IF EXISTS quarantine;
