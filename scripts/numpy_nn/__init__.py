"""Neural networks from scratch: NumPy and the standard library, every backward pass by hand.

Read in this order: module, linear, activations, dropout, losses, optimisers, schedules, batches,
training; then gradcheck, which proves the rest. mlp puts the layers together; initialisers,
standardise, normalisation and residual are more parts of the same kind.

Throughout, N is the number of examples of a batch, D of features, K of classes.
"""
