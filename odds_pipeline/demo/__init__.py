"""Simulated partner deliveries, for the demo and for tests. Every file says that it is simulated."""
