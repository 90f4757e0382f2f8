"""Studies: a composite index with its uncertainty, and a typology, from one edition of a release."""
