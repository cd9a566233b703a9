"""Which played note is which written note, found on plain arrays.

`match_notes` runs the stages in order: onset groups (`chords`), a corridor through the score that is
cheap to find (`corridor`), the way that the player took through it (`path`), what that way says of
restarts and skips (`structure`), the clock of the performance (`tempo_map`), and the matching note by
note (`assign`). Every stage is linear, or nearly so, in the number of notes.
"""
