"""Part 1: searches, trainings and evaluation of fully connected nets in NumPy."""
