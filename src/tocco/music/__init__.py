"""What the keys did and what the page says."""
