"""Marks beside the ratings: the calibration to one person, and marking schemes of examination boards."""
