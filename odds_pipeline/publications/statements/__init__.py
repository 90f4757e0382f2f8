"""Declared sentences: said of a territory from the figures of a release, or silent with a reason."""
