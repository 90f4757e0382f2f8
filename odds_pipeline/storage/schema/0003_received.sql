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
