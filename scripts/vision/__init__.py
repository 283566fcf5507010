"""CIFAR-10: an MLP, the textbook's CNN and a fast one in PyTorch; pictures of one's own."""
