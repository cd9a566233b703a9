"""The six technical dimensions, one module each, and the rules that they share."""
