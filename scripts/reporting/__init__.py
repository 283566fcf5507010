"""The end of the pipeline: the leaderboard, the figures, the report."""
