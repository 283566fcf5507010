"""The end of the pipeline: the leaderboard, the figures, the report."""

import os

# Figures go into files. The backend that a notebook's terminal hands on may not be installed.
os.environ["MPLBACKEND"] = "agg"
