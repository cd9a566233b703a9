"""Ratings by people: projects of segments, a store that loses nothing, raters' quality, what to rate next."""
