"""What a declaration may say: the classes that YAML files are read into, and their checks."""
