"""From a file on the landing folder to parsed observations: open, recognise, read."""
