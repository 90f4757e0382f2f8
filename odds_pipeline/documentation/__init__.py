"""Pages about the project that are written from the code and the declarations themselves."""
