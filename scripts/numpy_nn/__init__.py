"""Neural networks from scratch: NumPy and the standard library, every backward pass by hand.

Read in this order: module, linear, activations, dropout, losses, optimisers, schedules, batches,
training, gradcheck. Throughout, N is the number of examples of a batch and D a number of features.
"""
