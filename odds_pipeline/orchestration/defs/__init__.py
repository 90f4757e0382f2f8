"""Component instances: each points at a folder of declarations."""
