"""The command line for people: `nn`."""
