"""The page `results/RESULTS.md`: what was measured, with every figure read from a generated file."""
