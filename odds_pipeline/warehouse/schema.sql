-- Every table of the warehouse. Observations are never deleted: a value replaced or withdrawn gets
-- `known_to`, the number of the judgement that ended it.

CREATE TABLE IF NOT EXISTS deliveries (
    id VARCHAR PRIMARY KEY,            -- sha256, and #n for the n-th table of an archive or workbook
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
    reason VARCHAR                     -- why it was set aside or refused whole
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
    known_to INTEGER
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
    oldest_input VARCHAR               -- reference month of the oldest figure the value rests on
);

-- The last judgement that each indicator's whole history was computed after.
CREATE TABLE IF NOT EXISTS indicator_runs (
    indicator VARCHAR PRIMARY KEY,
    judgement INTEGER NOT NULL
);
