-- What the verdict on each month rests on besides the delivery: a fingerprint of what was accepted before
-- and of the declarations. `turn`: in which order those of a feed are judged.
CREATE TABLE IF NOT EXISTS audits (
    delivery VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    turn INTEGER NOT NULL,
    basis VARCHAR NOT NULL,
    PRIMARY KEY (delivery, month)
);

-- Figures of audited months as they were read, until the gate lets them in. Readers never see this table.
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
