"""Studies: a composite index with its uncertainty, and a typology, from a release."""
