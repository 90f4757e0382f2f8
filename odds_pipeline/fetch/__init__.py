"""What is public, taken from the portals that publish it: see ``odds fetch``."""
