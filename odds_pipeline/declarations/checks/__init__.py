"""What contradicts another file: one module for each kind of declaration, each yielding problems."""
