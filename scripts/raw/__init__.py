"""Raw files: fetched, verified, unpacked; image sets that several rooms read."""
