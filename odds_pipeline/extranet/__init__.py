"""The members' web site: pages, tables, API and exports over the current release, in French."""
