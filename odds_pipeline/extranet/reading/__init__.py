"""What a reader may see of a release, and how pages ask for it."""
