-- Things are called as everywhere else: an « édition » is a release, an audit is of figures.

ALTER TABLE organisations RENAME COLUMN edition TO access;
ALTER TABLE audit RENAME TO journal;
