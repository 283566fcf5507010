"""Training, validation and test side by side: one line a model, made of one row a split.

The leaderboard holds a row a split, which nothing can mistake; people compare models. Nothing here
sorts by a test value: lines stand in the order of their validation values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reporting.leaderboard import OURS, number, order
from reporting.model_names import PART, inputs, is_ensemble, views, without_views

COLUMNS = (
    "dataset", "model", "implementation", "kind", "inputs", "train", "validation",
    "validation_std", "validation_of", "test", "test_std", "test_seeds", "test_flips",
    "test_flips_std", "test_shifts", "test_shifts_std", "parameters", "train_seconds",
)  # fmt: skip
# Cross-validation scores every training example, a validation split a few of them.
VALIDATION = ("cv", "val")


@dataclass(frozen=True)
class Line:
    """A model under one metric of a data set; each split's row, or None where there is none.

    flips, shifts: the test split again, read with mirror images, and with moved images besides.
    """

    dataset: str
    metric: str
    model: str
    implementation: str
    inputs: str
    ensemble: bool
    train: Mapping | None
    validation: Mapping | None
    test: Mapping | None
    flips: Mapping | None
    shifts: Mapping | None

    @property
    def trained(self) -> Mapping:
        """The row that tells the weights and seconds of the model that is tested."""
        return next(row for row in self.rows if row)

    @property
    def rows(self) -> tuple[Mapping | None, ...]:
        """The rows of the leaderboard that the line is made of."""
        return self.test, self.flips, self.shifts, self.train, self.validation


def lines(rows: Iterable[Mapping], metric: str | None = None) -> list[Line]:
    """Our models, best validation value first, single ones before ensembles, by data set.

    metric: that one only. Left out are the parts of a test split: they stand in leaderboard.csv.
    """
    groups: dict[tuple, dict[tuple, Mapping]] = {}
    for row in rows:
        if row["source"] == OURS and metric in (None, row["metric"]) and PART not in row["model"]:
            name = without_views(row["model"])
            key = (row["task"], row["dataset"], row["metric"], name, row["implementation"])
            groups.setdefault(key, {})[row["split"], views(row["model"])] = row
    found = []
    for (task, dataset, name, model, implementation), splits in groups.items():
        validations = (splits.get((split, "")) for split in VALIDATION)
        validation = next((row for row in validations if row), None)
        train, test = splits.get(("train", "")), splits.get(("test", ""))
        flips = splits.get(("test", "flips"))
        shifts = splits.get(("test", "flips and shifts"), splits.get(("test", "shifts")))
        if any((train, validation, test, flips, shifts)):
            told = (dataset, name, model, implementation, inputs(model, task), is_ensemble(model))
            found.append(Line(*told, train, validation, test, flips, shifts))
    places = list(dict.fromkeys(line.dataset for line in found))
    return sorted(found, key=lambda line: (places.index(line.dataset), line.metric, *_rank(line)))


def _rank(line: Line) -> tuple:
    known = line.validation is not None
    return line.ensemble, not known, order(line.validation)[4] if known else 0.0, line.model


def classifiers(rows: Iterable[Mapping]) -> list[Line]:
    """The accuracy of every model on data sets where any has two of training, validation, test."""
    found = lines(rows, "accuracy")
    told = {
        line.dataset
        for line in found
        if sum(part is not None for part in (line.train, line.validation, line.test)) > 1
    }
    return [line for line in found if line.dataset in told]


def names(line: Line) -> set[tuple[str, str]]:
    """(data set, model) of the rows that the line is made of."""
    return {(row["dataset"], row["model"]) for row in line.rows if row}


def validation_of(line: Line) -> str:
    """What a validation value is a mean of: `5 folds`, `3 seeds`; an ensemble's, by which nets."""
    if line.validation is None:
        return ""
    crossed, count = line.validation["split"] == "cv", line.validation["n_seeds"]
    if line.ensemble:
        return f"{count} fold{'s' * (count != 1)}, by one net of each kind" if crossed else ""
    return f"{count} {'fold' if crossed else 'seed'}{'s' if count != 1 else ''}"


def spread(row: Mapping | None) -> str:
    """`0.9078 ± 0.0005`, without the deviation if there is none; an empty text for None."""
    if row is None:
        return ""
    value = number(row["metric"], row["value"])
    return value + (f" ± {number(row['metric'], row['std'])}" if row["std"] is not None else "")


def more_views(line: Line) -> list[str]:
    """The test values over several views: `0.9443 ± 0.0013 + flips`, `... + flips and shifts`."""
    return [f"{spread(r)} + {views(r['model'])}" for r in (line.flips, line.shifts) if r]


def record(line: Line) -> dict:
    """The line as a row of accuracy_by_split.csv, with COLUMNS; None where nothing was measured."""

    def of(row: Mapping | None, key: str) -> float | None:
        return row[key] if row else None

    return {
        "dataset": line.dataset,
        "model": line.model,
        "implementation": line.implementation,
        "kind": "ensemble" if line.ensemble else "single model",
        "inputs": line.inputs,
        "train": of(line.train, "value"),
        "validation": of(line.validation, "value"),
        "validation_std": of(line.validation, "std"),
        "validation_of": validation_of(line),
        "test": of(line.test, "value"),
        "test_std": of(line.test, "std"),
        "test_seeds": of(line.test, "n_seeds"),
        "test_flips": of(line.flips, "value"),
        "test_flips_std": of(line.flips, "std"),
        "test_shifts": of(line.shifts, "value"),
        "test_shifts_std": of(line.shifts, "std"),
        "parameters": line.trained["parameters"],
        "train_seconds": line.trained["train_seconds"],
    }
