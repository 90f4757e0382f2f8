"""A new partner's declarations, proposed from a sample of its files."""
