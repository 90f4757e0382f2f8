"""Statistical secrecy: rules, additive systems, least suppression, audit by an attacker's means."""
