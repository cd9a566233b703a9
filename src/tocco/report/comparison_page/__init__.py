"""Takes of one piece in one HTML file: what is better, heard bar by bar, and drawn over the bars."""
