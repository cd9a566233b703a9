"""What each part of the network gains: the same training without it, compared on the same music."""
