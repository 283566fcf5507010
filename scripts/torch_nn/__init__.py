"""Part 2: networks in PyTorch, from Linear to the Transformer. Imports torch and the standard
library; knows nothing of files, configurations or rules.

To be read in this order: attention, positions, feed_forward, encoder, decoder, transformer (the
encoder-decoder); then gpt, sampling and dna_classifier, which are made of the same parts; beside
them dna_augmentation for DNA, normalise, mlp, cnn, augment and image_classifier for images;
perplexity scores a GPT; dropout, optimisation and schedules serve several. docs/part2.md explains
them, with examples.
"""
