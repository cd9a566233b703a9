"""From files to an assessment."""
