"""Everything that draws or words an assessment."""
