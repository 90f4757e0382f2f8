-- The class of access is called by its own name: an « édition » is a release.

ALTER TABLE organisations RENAME COLUMN edition TO access;
