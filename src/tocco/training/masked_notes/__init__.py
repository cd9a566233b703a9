"""Masked pre-training of the MIDI encoder: notes are hidden, and the encoder has to guess them."""
