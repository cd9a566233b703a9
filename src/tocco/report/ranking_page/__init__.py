"""The HTML file of a ranking: one file without script, to read, print and hand round."""
