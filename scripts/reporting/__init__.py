"""The end of the pipeline: the leaderboard, the figures, the report."""

import os

# Figures go into files: a notebook's backend, which its terminal hands on, may not be installed here.
os.environ["MPLBACKEND"] = "agg"
