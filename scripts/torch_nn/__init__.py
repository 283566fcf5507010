"""Part 2: networks in PyTorch, from Linear to the Transformer. Imports torch and the standard
library; knows nothing of files, configurations or rules.

To be read in this order: attention, positions, feed_forward, encoder, decoder, transformer (the
encoder-decoder); then gpt, sampling and dna_classifier, which are made of the same parts; beside
them mlp, cnn and augment for images; dropout, optimisation, schedules and perplexity serve all.
"""
