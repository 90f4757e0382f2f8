"""Documents for people: portraits, studies, the committees' pages, the reference of indicators."""
