"""Rankings that admit their ties: from paired differences of ratings, and from marks and votes of jurors."""
