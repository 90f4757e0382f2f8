-- What people follow: addresses of the site, of which an e-mail tells once for each release after `told`.

CREATE TABLE follows (
    person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    title TEXT NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (person, address)
);
