"""The record of a run: what made each file, out of what, with which code, settings and machine."""
