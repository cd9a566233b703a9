"""The assessment as one HTML file that explains itself, plays, prints, and asks no network for anything."""
