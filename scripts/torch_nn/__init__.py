"""Part 2: networks in PyTorch, from Linear to the Transformer. Imports torch and the standard
library; knows nothing of files, configurations or rules.

Read in this order: attention, positions, norms, encoder, transformer, cache, decoding; then gpt,
generation, sampling, token_reader, perplexity and dna_classifier, which are made of the same parts,
and dna_augmentation, dna_tokens and dna_pretraining; modern_gpt and muon; for images mlp, cnn,
fast_cnn, filter_muon, augment and image_classifier.
Several share dropout, optimisation, schedules, eval_mode, parameters and flops. docs/part2.md
explains them, with examples.
"""
