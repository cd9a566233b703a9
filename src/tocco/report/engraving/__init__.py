"""The engraved score: what was played, drawn at the printed notes."""
