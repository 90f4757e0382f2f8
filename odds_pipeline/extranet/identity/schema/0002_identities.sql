-- Who a person is at an identity provider, attempts by network, forgotten passwords, and a journal
-- without what was asked for.

CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);
ALTER TABLE pending_signins ADD COLUMN person INTEGER REFERENCES people (id) ON DELETE CASCADE;
ALTER TABLE people ADD COLUMN asked_at TEXT;
ALTER TABLE failures ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE INDEX failures_account ON failures (account, at);
CREATE INDEX failures_network ON failures (network, at);
UPDATE audit SET detail = '' WHERE event = 'api';
