"""Training, validation and test side by side: one line per model, made of one row per split.

The leaderboard holds a row per split, which nobody can misread; people compare models. Nothing here
is sorted by a test value: the lines are in the order of their validation values.
"""

from collections.abc import Iterable, Mapping

from reporting.formats import MIXED, counted, label
from reporting.leaderboard import OURS, number, order

COLUMNS = (
    "run", "dataset", "model", "implementation", "kind", "inputs", "members", "train", "validation",
    "validation_std", "validation_of", "test", "test_std", "test_seeds", "test_flips",
    "test_flips_std", "test_shifts", "test_shifts_std", "test_both_strands",
    "test_both_strands_std", "parameters", "train_seconds", "train_flops",
)  # fmt: skip
VIEWS = ("flips", "shifts", "flips and shifts", "both strands", "sliding windows")
# Column -> the (split, views) that it may be, the first one that there is. Cross-validation scores
# every training example, a validation split a few of them.
PLACES = {
    "train": [("train", "none")],
    "validation": [
        (split, views) for some in (("none",), VIEWS) for split in ("cv", "val") for views in some
    ],
    "test": [("test", "none")],
    "test_flips": [("test", "flips")],
    "test_shifts": [("test", "flips and shifts"), ("test", "shifts")],
    "test_both_strands": [("test", "both strands")],
}


class Line:
    """A model under one metric of a data set, made of its rows.

    columns: the row of each of PLACES; those of the first three are attributes, too. more_views:
    the test rows that average over several views of an example. trained: the row that holds the
    weights and the cost of the model that is tested. None where there is no such row.
    """

    def __init__(self, rows: Iterable[Mapping]):
        here = {(row["split"], row["views"]): row for row in rows}
        self.columns = {
            name: next((here[place] for place in places if place in here), None)
            for name, places in PLACES.items()
        }
        self.train, self.validation, self.test, *_ = self.columns.values()
        self.more_views = [here["test", views] for views in VIEWS if ("test", views) in here]
        tested = (self.test, *self.more_views, self.train, self.validation)
        self.trained = about = next(row for row in tested if row)
        self.dataset, self.metric, self.model = about["dataset"], about["metric"], about["model"]
        self.implementation, self.inputs = about["implementation"], about["inputs"]
        self.members, self.run, self.commit = about["members"], about["run"], about["commit"]
        self.ensemble = self.members != "1"

    def label(self, inputs: bool = False) -> str:
        """The model and, of an ensemble, its members; inputs: also what it reads."""
        return label({**self.trained, "views": "none"}, inputs)


def lines(rows: Iterable[Mapping]) -> list[Line]:
    """Our models by data set and run: single before ensembles, the best validation value first.

    Rows of a part of a split are in leaderboard.csv alone.
    """
    models: dict[tuple, list[Mapping]] = {}
    for row in rows:
        if row["source"] == OURS and row["subset"] == "all":
            names = ("run", "task", "dataset", "metric", "model", "implementation", "inputs")
            # The validation value of an ensemble of several models is that of fewer members.
            members = row["members"] if row["inputs"] != MIXED else ""
            models.setdefault((*(row[name] for name in names), members), []).append(row)
    found = list(map(Line, models.values()))
    datasets = list(dict.fromkeys(line.dataset for line in found))

    def rank(line: Line) -> tuple:
        where = (datasets.index(line.dataset), line.metric, line.ensemble)
        value = order(line.validation)[4] if line.validation else 0.0
        return *where, line.validation is None, value, line.model, line.members, line.run

    return sorted(found, key=rank)


def classifiers(rows: Iterable[Mapping]) -> list[Line]:
    """The accuracy of every model on data sets where any has two of training, validation, test."""
    found = [line for line in lines(rows) if line.metric == "accuracy"]
    compared = {
        line.dataset
        for line in found
        if sum(map(bool, (line.train, line.validation, line.test or line.more_views))) > 1
    }
    return [line for line in found if line.dataset in compared]


def validation_of(line: Line) -> str:
    """What a validation value is a mean of: `5 folds`, `3 seeds`; an ensemble's, by which nets."""
    if line.validation is None:
        return ""
    crossed, count = line.validation["split"] == "cv", line.validation["n_seeds"]
    if line.ensemble:
        return f"{counted(count, 'fold')}, by one net of each kind" if crossed else ""
    return counted(count, "fold" if crossed else "seed")


def spread(row: Mapping | None) -> str:
    """`0.9078 ± 0.0005`, without the deviation if there is none; an empty text for None."""
    if row is None:
        return ""
    value, std = (number(row["metric"], row[name]) for name in ("value", "std"))
    return f"{value} ± {std}" if std else value


def more_views(line: Line) -> list[str]:
    """The test values over several views: `0.9443 ± 0.0013 + flips`, `... + flips and shifts`."""
    return [f"{spread(row)} + {row['views']}" for row in line.more_views]


def record(line: Line) -> dict:
    """The line as a row of accuracy_by_split.csv, with COLUMNS; None where nothing was measured."""
    found = {"kind": "ensemble" if line.ensemble else "single model"}
    found |= {"validation_of": validation_of(line)}
    found |= {"test_seeds": line.test["n_seeds"] if line.test else None}
    for name, row in line.columns.items():
        found |= {name: row["value"], f"{name}_std": row["std"]} if row else {}
    # The rest is as in the leaderboard.
    return {name: found.get(name, line.trained.get(name)) for name in COLUMNS}
