"""tocco: ten ratings of a piano performance, each with an interval that can be trusted."""
