"""The leaderboard: its rows, their checks and order, and the published results beside them."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from pipeline.errors import InputError
from pipeline.results import COLUMNS
from pipeline.settings import Settings

OURS = "this run"
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


@dataclass(frozen=True)
class Metric:
    """A metric's title, the range of its values, and whether more is better."""

    title: str
    low: float
    high: float
    more_is_better: bool
    digits: int


def _share(title: str) -> Metric:
    return Metric(title, 0.0, 1.0, True, 4)


def _loss(title: str) -> Metric:
    return Metric(title, 0.0, float("inf"), False, 3)


METRICS = {
    "accuracy": _share("accuracy"),
    "balanced_accuracy": _share("balanced accuracy"),
    "token_accuracy": _share("accuracy per token"),
    "exact_match": _share("exact match"),
    "accepted_share": _share("share accepted by the grammar"),
    "f1": _share("F1"),
    "macro_f1": _share("macro F1"),
    "roc_auc": _share("area under ROC"),
    "mcc": Metric("MCC × 100", -100.0, 100.0, True, 2),
    "nats_per_token": _loss("nats per token"),
    "nats_per_character": _loss("nats per character"),
    "bits_per_byte": _loss("bits per byte"),
    "bits_per_character": _loss("bits per character"),
    "perplexity": _loss("perplexity"),
    "cross_entropy": _loss("cross-entropy (nats)"),
    "loss": _loss("loss"),
}


class Row(Settings):
    """A row as an evaluation writes it (pipeline.results.row), checked."""

    task: str = Field(min_length=1)
    dataset: str = Field(min_length=1)
    model: str = Field(min_length=1)
    inputs: str = Field(min_length=1)
    views: Literal["none", "flips", "shifts", "flips and shifts", "both strands"]
    members: str = Field(pattern=rf"^(1|{_GROUP}( \+ {_GROUP})*)$")
    subset: Literal["all", "not in train"]
    implementation: Literal["numpy", "torch"]
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
    commit: str = Field(min_length=1)
    data_sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _fits_its_metric(self) -> "Row":
        check_values(self.metric, {"value": self.value})
        if (self.ci_low is None) != (self.ci_high is None):
            raise ValueError("ci_low and ci_high come together or not at all")
        if self.ci_low is not None and self.ci_high is not None:
            check_values(self.metric, {"ci_low": self.ci_low, "ci_high": self.ci_high})
            if self.ci_low > self.ci_high:
                raise ValueError(f"ci_low {self.ci_low} lies above ci_high {self.ci_high}")
        if self.n_seeds == 1 and self.std is not None:
            raise ValueError(f"one seed has no deviation, found std {self.std}")
        return self


def check_values(metric: str, values: Mapping[str, float]) -> None:
    """Raise ValueError if `metric` is unknown or a value lies outside its range."""
    if metric not in METRICS:
        raise ValueError(
            f"metric {metric!r} is unknown; known: {', '.join(METRICS)}"
            " (a new one is added to METRICS in scripts/reporting/leaderboard.py)"
        )
    known = METRICS[metric]
    for name, value in values.items():
        if not known.low <= value <= known.high:
            raise ValueError(
                f"{name} {value} of {metric} lies outside {known.low:g} to {known.high:g}"
            )


def read_metrics(path: Path) -> list[dict]:
    """The checked rows of a metrics.json. Raises InputError: file, row and each bad field."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected JSON with a list `rows`, found: {error!r}") from None
    checked = []
    for number, row in enumerate(rows):
        try:
            checked.append(Row.model_validate(row).model_dump())
        except ValidationError as error:
            name = f"row {number}"
            if isinstance(row, dict):
                name += f" ({row.get('model')} on {row.get('dataset')}, {row.get('metric')})"
            found = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'row'}: "
                + problem["msg"].removeprefix("Value error, ")
                + (f", found {problem['input']!r}" if problem["loc"] else "")
                for problem in error.errors()
            )
            raise InputError(f"{path}: {name}: {found}") from None
    return checked


def read_references(path: Path) -> tuple[dict, list[dict]]:
    """(sources, results) of references.yaml. Raises InputError for a source that it lacks."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    for result in table["results"]:
        name = f"{path}: {result['model']} on {result['dataset']}"
        if result["source"] not in table["sources"]:
            known = ", ".join(table["sources"])
            raise InputError(f"{name}: no source {result['source']!r} in `sources`: {known}")
        try:
            check_values(result["metric"], {"value": result["value"]})
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None
    return table["sources"], table["results"]


def published_rows(
    sources: Mapping[str, dict], results: Iterable[dict], datasets: Iterable[str]
) -> list[dict]:
    """Rows of the published results of `datasets` whose split is known; our columns are empty."""
    kept = []
    for result in results:
        if result["dataset"] in set(datasets) and result["split"]:
            row = {column: result.get(column) for column in COLUMNS}
            kept.append({**row, "source": sources[result["source"]]["citation"]})
    return kept


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
    """All rows with exactly COLUMNS, sorted. Raises InputError if two rows have the same key."""
    rows = [{column: row.get(column) for column in COLUMNS} for row in [*ours, *published]]
    seen = set()
    for row in rows:
        key = tuple(row[name] for name in KEY)
        if key in seen:
            text = ", ".join(f"{name} {value!r}" for name, value in zip(KEY, key, strict=True))
            raise InputError(
                f"two rows of the leaderboard have the same {text}: give one model another name"
            )
        seen.add(key)
    return sorted(rows, key=order)


def read_leaderboard(path: Path) -> list[dict]:
    """The rows of a leaderboard.csv: numbers as numbers, an empty field as None.

    Raises InputError if the columns are not COLUMNS.
    """
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(
                f"{path}: expected the columns {','.join(COLUMNS)}, found"
                f" {','.join(reader.fieldnames or ())}: build the leaderboard again"
            )
        return [
            {name: TYPES.get(name, str)(text) if text else None for name, text in row.items()}
            for row in reader
        ]


def number(metric: str, value: float | None) -> str:
    """`value` with the digits that `metric` is given with; an empty text for None."""
    return "" if value is None else f"{value:.{METRICS[metric].digits}f}"
