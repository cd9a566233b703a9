"""Labels, corpora, splits and the dataset."""
