"""Training: from a config and a label file to a checkpoint."""
