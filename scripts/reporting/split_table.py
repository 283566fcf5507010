"""The page's table of training, validation and test: the lines of reporting.splits as texts.

A module of its own, so that other words on the page do not rebuild the leaderboard.
"""

from reporting.formats import MIXED
from reporting.report import shown
from reporting.splits import Line, more_views, spread, validation_of


def texts_of(line: Line) -> dict:
    """The line as texts for a page; an empty one where nothing was measured."""
    trained, test = shown(line.trained), shown(line.test) if line.test else None
    seeds = test["n_seeds"] if test else 0
    return {
        "dataset": line.dataset,
        "model": line.label(),
        "implementation": line.implementation,
        "inputs": line.inputs,
        "ensemble": line.ensemble,
        "mixed": line.inputs == MIXED,
        "folds": line.inputs != MIXED and line.members.endswith("folds"),
        "train": spread(line.train),
        "validation": spread(line.validation),
        "validation_of": validation_of(line),
        "test": spread(line.test),
        "test_of": f"{seeds} seed{'s' if seeds > 1 else ''}" if test and not line.ensemble else "",
        "interval": test["ci_text"] if test else "",
        "views": more_views(line),
        "parameters": trained["parameters_text"],
        "seconds": trained["seconds_text"],
        "flops": trained["flops_text"],
    }
