"""Who reads: accounts, sign-in, OpenID Connect, the journal of access."""
