"""Statistical secrecy: rules, additive systems, least suppression, an attack by a reader's means."""
