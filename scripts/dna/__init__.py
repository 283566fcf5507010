"""DNA: sequences in, classes out, by a Transformer encoder."""
