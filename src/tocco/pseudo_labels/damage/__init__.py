"""Damage: what makes a performance worse whatever its style, each measure a number in a physical unit."""
