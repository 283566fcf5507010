"""Part 2: networks in PyTorch, attention and Transformer blocks written out.

Imports torch and the standard library only; knows nothing of files, configurations or rules.
"""
