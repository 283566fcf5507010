"""Neural networks from scratch: NumPy and the standard library, every backward pass by hand.

Read in this order: module, linear, activations, dropout, losses, flat, optimisers, schedules,
batches, training; then gradcheck, which proves the rest. mlp and token_mixer put the layers
together. More parts of the same kind: initialisers, standardise, normalisation, residual,
tokens, gather; and what training may be given: clipping, averaging, early_stopping, mixup.
architecture, stored_model and prediction use what was trained.

Throughout, N is the number of examples of a batch, D of features, K of classes.
"""
