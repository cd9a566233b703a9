"""What is observed of a performance: notes, onsets, voices, and what a transcription can show."""
