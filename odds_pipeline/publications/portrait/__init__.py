"""The Portrait social: one document for the département, each EPT or EPCI and each commune."""
