"""What the programs share: atomic files, settings, checkpoints, seeds, metrics, provenance.

Nothing here knows a model, a rule or a configuration file.
"""
