"""Each data set from its raw files to arrays: fetched, verified, read, generated, split.

Nothing here knows a model.
"""
