"""Audio: decoding, description, augmentation, transcription and rendering."""
