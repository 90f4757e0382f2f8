-- The accounts as they stood before migrations had numbers: made where they lack.

CREATE TABLE IF NOT EXISTS organisations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    siret TEXT UNIQUE,
    edition TEXT NOT NULL,
    partners TEXT NOT NULL DEFAULT '[]',
    territory TEXT,
    runs_observatory INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    administrator INTEGER NOT NULL DEFAULT 0,
    password TEXT,
    revoked INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    seen_at TEXT
);
CREATE TABLE IF NOT EXISTS sessions (
    secret TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('web', 'api', 'invitation')),
    person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    label TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pending_signins (
    state TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    next TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS audit (
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    person INTEGER,
    organisation INTEGER,
    detail TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_at ON audit (at);
CREATE TABLE IF NOT EXISTS failures (
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    address TEXT NOT NULL
);
