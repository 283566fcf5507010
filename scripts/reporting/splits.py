"""Training, validation and test side by side: one line per model, made of one row per split.

The leaderboard holds a row per split, which nobody can misread; people compare models. Nothing here
is sorted by a test value: the lines are in the order of their validation values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reporting.formats import MIXED, counted, label
from reporting.leaderboard import OURS, number, order

COLUMNS = (
    "dataset", "model", "implementation", "kind", "inputs", "members", "train", "validation",
    "validation_std", "validation_of", "test", "test_std", "test_seeds", "test_flips",
    "test_flips_std", "test_shifts", "test_shifts_std", "test_both_strands",
    "test_both_strands_std", "parameters", "train_seconds", "train_flops",
)  # fmt: skip
# Cross-validation scores every training example, a validation split a few of them.
VALIDATION = ("cv", "val")
VIEWS = ("flips", "shifts", "flips and shifts", "both strands")


@dataclass
class Line:
    """A model under one metric of a data set; each split's row, or None where there is none.

    more_views: the test rows that average over several views of an example, by those views.
    """

    dataset: str
    metric: str
    model: str
    implementation: str
    inputs: str
    train: Mapping | None = None
    validation: Mapping | None = None
    test: Mapping | None = None
    more_views: dict[str, Mapping] = field(default_factory=dict)

    @property
    def trained(self) -> Mapping:
        """The row that holds the weights and the cost of the model that is tested."""
        found = (self.test, *self.more_views.values(), self.train, self.validation)
        return next(row for row in found if row)

    @property
    def members(self) -> str:
        return self.trained["members"]

    @property
    def ensemble(self) -> bool:
        return self.members != "1"

    @property
    def shifts(self) -> Mapping | None:
        """The test row with moved images, with flips too where the model has both."""
        return self.more_views.get("flips and shifts") or self.more_views.get("shifts")

    def label(self, inputs: bool = False) -> str:
        """The model and, of an ensemble, its members; inputs: also what it reads."""
        return label({**self.trained, "views": "none"}, inputs)

    def place(self, row: Mapping) -> None:
        """Put a row into its place; for validation one view goes before several, cv before val."""

        def rank(row: Mapping) -> tuple:
            return row["views"] != "none", VALIDATION.index(row["split"])

        if row["split"] in VALIDATION:
            self.validation = min(filter(None, (self.validation, row)), key=rank)
        elif row["views"] == "none":
            setattr(self, row["split"], row)
        elif row["split"] == "test":
            self.more_views[row["views"]] = row


def lines(rows: Iterable[Mapping], metric: str | None = None) -> list[Line]:
    """Our models by data set: single ones before ensembles, the best validation value first.

    metric: that one only. Rows of a part of a split are in leaderboard.csv alone.
    """
    found: dict[tuple, Line] = {}
    for row in rows:
        if row["source"] != OURS or metric not in (None, row["metric"]) or row["subset"] != "all":
            continue
        about = [row[name] for name in ("dataset", "metric", "model", "implementation", "inputs")]
        # The validation value of an ensemble of several models is that of fewer members.
        members = row["members"] if row["inputs"] != MIXED else ""
        found.setdefault((row["task"], *about, members), Line(*about)).place(row)
    datasets = list(dict.fromkeys(line.dataset for line in found.values()))

    def rank(line: Line) -> tuple:
        where = (datasets.index(line.dataset), line.metric, line.ensemble)
        value = order(line.validation)[4] if line.validation else 0.0
        return *where, line.validation is None, value, line.model, line.members

    return sorted(found.values(), key=rank)


def classifiers(rows: Iterable[Mapping]) -> list[Line]:
    """The accuracy of every model on data sets where any has two of training, validation, test."""
    found = lines(rows, "accuracy")
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
    value = number(row["metric"], row["value"])
    return value + (f" ± {number(row['metric'], row['std'])}" if row["std"] is not None else "")


def more_views(line: Line) -> list[str]:
    """The test values over several views: `0.9443 ± 0.0013 + flips`, `... + flips and shifts`."""
    found = (line.more_views.get(views) for views in VIEWS)
    return [f"{spread(row)} + {row['views']}" for row in found if row]


def record(line: Line) -> dict:
    """The line as a row of accuracy_by_split.csv, with COLUMNS; None where nothing was measured."""
    rows = {"train": line.train, "validation": line.validation, "test": line.test}
    rows |= {"test_flips": line.more_views.get("flips"), "test_shifts": line.shifts}
    rows |= {"test_both_strands": line.more_views.get("both strands")}
    found = {name: row["value"] for name, row in rows.items() if row}
    found |= {f"{name}_std": row["std"] for name, row in rows.items() if row}
    found |= {"kind": "ensemble" if line.ensemble else "single model"}
    found |= {"validation_of": validation_of(line)}
    found |= {"test_seeds": line.test["n_seeds"] if line.test else None}
    # The rest is as in the leaderboard.
    return {name: found.get(name, line.trained.get(name)) for name in COLUMNS}
