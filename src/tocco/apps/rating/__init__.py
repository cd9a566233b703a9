"""What a rater's page shows and sends, the same for the web page and for the notebook."""
