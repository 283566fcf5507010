"""DNA to protein, by the whole Transformer."""
