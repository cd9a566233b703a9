"""MAESTRO: its index, its files, fetching and checking them."""
