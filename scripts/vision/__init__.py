"""CIFAR-10: an MLP and a CNN in PyTorch."""
