"""Few labels: light heads on frozen features, how far a number of labels leads, and which picture to label next."""
