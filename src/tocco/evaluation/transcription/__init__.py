"""What transcription does to ratings: recordings made from known keys, and their transcriptions."""
