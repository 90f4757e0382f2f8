"""The Portrait social: one document for the département, each EPT and each commune."""
