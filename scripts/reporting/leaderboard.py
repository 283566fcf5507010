"""The leaderboard: its rows, their checks and order, and the published results beside them."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError, model_validator

from pipeline.errors import InputError
from pipeline.read_yaml import read_yaml
from pipeline.results import COLUMNS
from pipeline.settings import Settings, nearest, problems
from reporting.references import References

OURS = "this run"
# The splits that a result is shown of, the first one that there is.
SPLITS = {"test": "test split", "val": "validation split", "cv": "cross-validation"}
KEY = (
    "task", "dataset", "model", "inputs", "views", "members", "subset", "implementation", "metric",
    "split",
)  # fmt: skip
# The columns of leaderboard.csv that are not texts.
TYPES: dict[str, type] = dict.fromkeys(("n_seeds", "parameters", "threads"), int)
TYPES |= dict.fromkeys(("value", "std", "ci_low", "ci_high", "train_seconds", "train_flops"), float)
# One trained model that reads every example of the split once.
ORDINARY = {"views": "none", "members": "1", "subset": "all"}
_GROUP = r"\d+ (seed|fold)s?"


class Metric(NamedTuple):
    """A metric's title, the range of its values, whether more is better, how many digits it has,
    and whether the leaderboard's figure has a panel for it."""

    title: str
    low: float = 0.0
    high: float = 1.0
    more_is_better: bool = True
    digits: int = 4
    drawn: bool = True


METRICS = {
    "accuracy": Metric("accuracy"),
    "token_accuracy": Metric("accuracy per token"),
    "exact_match": Metric("exact match"),
    "accepted_share": Metric("share accepted by the grammar"),
    "mcc": Metric("MCC × 100", -100.0, 100.0, digits=2),
    "roc_auc": Metric("ROC AUC", drawn=False),
    "average_precision": Metric("average precision", drawn=False),
    "calibration_error": Metric("calibration error", more_is_better=False, drawn=False),
    "nats_per_token": Metric("nats per token", 0.0, inf, more_is_better=False, digits=3),
    "bits_per_byte": Metric("bits per byte", 0.0, inf, more_is_better=False, digits=3),
}


class Row(Settings):
    """A row as an evaluation writes it (pipeline.results.row), checked."""

    task: str = Field(min_length=1)
    dataset: str = Field(min_length=1)
    model: str = Field(min_length=1)
    inputs: str = Field(min_length=1)
    views: Literal[
        "none", "flips", "shifts", "flips and shifts", "both strands", "beam of 4",
        "sliding windows",
    ]  # fmt: skip
    members: str = Field(pattern=rf"^(1|{_GROUP}( \+ {_GROUP})*)$")
    subset: Literal["all", "not in train", "longer than trained"]
    implementation: Literal["numpy", "torch", "scikit-learn", "xz"]
    metric: str
    split: Literal["train", "cv", "val", "test"]
    value: float
    std: float | None = Field(ge=0)
    n_seeds: int = Field(ge=1)
    ci_low: float | None
    ci_high: float | None
    parameters: int | None = Field(ge=0)
    train_seconds: float | None = Field(ge=0)
    train_flops: float | None = Field(ge=0)
    threads: int = Field(ge=1)
    device: str = Field(min_length=1)
    kernels: str | None = None
    commit: str = Field(min_length=1)
    data_sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _fits_its_metric(self) -> "Row":
        for name in ("value", "ci_low", "ci_high"):
            check_value(self.metric, getattr(self, name), name)
        if (self.ci_low is None) != (self.ci_high is None):
            raise ValueError("ci_low: expected together with ci_high, found one of them")
        if self.ci_low is not None and self.ci_high is not None and self.ci_low > self.ci_high:
            raise ValueError(f"ci_low: {self.ci_low} lies above ci_high {self.ci_high}")
        if self.n_seeds == 1 and self.std is not None:
            raise ValueError(f"std: one seed has no deviation, found {self.std}")
        return self


class Metrics(Settings, extra="ignore"):
    """A metrics.json."""

    rows: list[Row]


def check_value(metric: str, value: float | None, name: str = "value") -> None:
    """Raise ValueError if `metric` is unknown or the value lies outside its range."""
    if metric not in METRICS:
        raise ValueError(f"metric: {metric!r} is unknown; {nearest(metric, list(METRICS))}")
    known = METRICS[metric]
    if value is not None and not known.low <= value <= known.high:
        expected = f"{known.low:g} to {known.high:g}"
        raise ValueError(f"{name}: expected {expected} for {metric}, found {value}")


def read_metrics(path: Path) -> list[dict]:
    """The checked rows of a metrics.json. Raises InputError: file, row and each bad field."""
    try:
        return [row.model_dump() for row in Metrics.model_validate_json(path.read_bytes()).rows]
    except ValidationError as error:
        lines = "; ".join(problems(error, Metrics))
        raise InputError(f"{path}: expected rows of results: {lines}") from None


def read_references(path: Path) -> tuple[dict, list[dict]]:
    """(sources, results) of references.yaml.

    Raises InputError if it is not such a file, or a value lies outside the range of its metric.
    """
    table = read_yaml(path, References)
    for result in table["results"]:
        try:
            check_value(result["metric"], result["value"])
        except ValueError as error:
            where = f"{result['model']} on {result['dataset']}"
            raise InputError(f"{path}: {where}: {error}") from None
    return table["sources"], table["results"]


def published_rows(sources: Mapping, results: Iterable, datasets: Iterable[str]) -> list[dict]:
    """Rows of the published results of `datasets` whose split is known; our columns are empty."""
    return [
        {column: result.get(column) for column in COLUMNS}
        | {"source": sources[result["source"]]["citation"]}
        for result in results
        if result["dataset"] in set(datasets) and result["split"]
    ]


def order(row: Mapping) -> tuple:
    """Sort key: task, dataset, metric, split, then the best value first, then the rest of KEY."""
    sign = -1 if METRICS[row["metric"]].more_is_better else 1
    where = (row["task"], row["dataset"], row["metric"], row["split"])
    return *where, sign * row["value"], not ordinary(row), *(row[name] or "" for name in KEY)


def ordinary(row: Mapping) -> bool:
    """Whether a row is of one trained model that reads each example of the whole split once.

    Test-time augmentation, ensembles and parts of a split have no place beside a published result
    of the whole split.
    """
    return all(row[name] == value for name, value in ORDINARY.items())


def build(ours: Sequence[dict], published: Sequence[dict]) -> list[dict]:
    """All rows with exactly COLUMNS, sorted. Raises InputError if two of one run have one key."""
    rows = [{column: row.get(column) for column in COLUMNS} for row in [*ours, *published]]
    key_of_run = (*KEY, "run")
    for key, count in Counter(tuple(row[name] for name in key_of_run) for row in rows).items():
        if count > 1:
            same = ", ".join(f"{name} {value!r}" for name, value in zip(KEY, key, strict=False))
            raise InputError(f"{count} rows have the same {same}: give one model another name")
    return sorted(rows, key=order)


def panels(rows: Iterable[dict]) -> list[list[dict]]:
    """The rows of each data set and metric that is drawn, of the first of SPLITS with a row of
    ours."""
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if METRICS[row["metric"]].drawn:
            groups.setdefault((row["dataset"], row["metric"]), []).append(row)
    found = []
    for group in groups.values():
        ours = {row["split"] for row in group if row["source"] == OURS}
        split = next((name for name in SPLITS if name in ours), None)
        found.append([row for row in group if row["split"] == split])
    return [group for group in found if group]


def read_leaderboard(path: Path) -> list[dict]:
    """The rows of a leaderboard.csv: numbers as numbers, an empty field as None.

    Raises InputError if the columns are not COLUMNS (`kernels`, a new one, may be missing), or a
    field is not of its column's kind.
    """
    rows = []
    try:
        with path.open(newline="", encoding="utf-8") as opened:
            reader = csv.DictReader(opened, strict=True)
            found = tuple(reader.fieldnames or ())
            if found not in (COLUMNS, tuple(name for name in COLUMNS if name != "kernels")):
                wanted = ",".join(COLUMNS)
                raise InputError(f"{path}: expected the columns {wanted}: build it again")
            for row in reader:
                if None in row or None in row.values():
                    raise ValueError(f"expected {len(found)} fields in line {reader.line_num}")
                values = {k: TYPES.get(k, str)(text) if text else None for k, text in row.items()}
                rows.append(dict.fromkeys(COLUMNS) | values)
    except (csv.Error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a leaderboard: {error}: build it again") from None
    return rows


def number(metric: str, value: float | None) -> str:
    """`value` with the digits that `metric` is given with; an empty text for None."""
    return "" if value is None else f"{value:.{METRICS[metric].digits}f}"
