"""Numbers and names as people read them: 3 min 20 s, 10.6 M weights, 40.0 TFLOP, CNN + flips."""

from collections.abc import Iterable, Mapping

# The inputs of an ensemble of several models, whose name says which.
MIXED = "as its members"


def seconds(value: float | None) -> str:
    """4.2 s, 3 min 20 s, 2 h 5 min; an empty text for None."""
    if value is None:
        return ""
    if value < 120:
        return f"{value:.{0 if value >= 10 else 1}f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def weights(count: int | None) -> str:
    """A number of weights: 850, 7.85 k, 536 k, 10.6 M; an empty text for None."""
    if count is None or count < 1000:
        return str(count or "")
    return _scaled(count / 1000, "kMG")


def flops(count: float | None) -> str:
    """Floating-point operations: 40.0 TFLOP, 1.23 PFLOP; an empty text for None."""
    return "" if count is None else _scaled(count / 1e6, "MGTPEZ") + "FLOP"


def _scaled(value: float, units: str) -> str:
    """Three significant digits and the unit, each 1,000 of the one before, that leaves them 1 to
    999; `value` counts in the first one."""
    power = 0
    while float(f"{value:.3g}") >= 1000 and power < len(units) - 1:
        value, power = value / 1000, power + 1
    return f"{value:#.3g}".rstrip(".") + f" {units[power]}"


def counted(number: int, what: str) -> str:
    """1 seed, 3 seeds."""
    return f"{number} {what}{'s' * (number != 1)}"


def label(row: Mapping, inputs: bool = False) -> str:
    """The name beside a row of the leaderboard: the model, then what sets the row apart.

    CNN 64-128-256 + flips (ensemble of 5 seeds, test rows not in train), or, of an ensemble of
    several models, Ensemble of plain and mixer (3 seeds + 5 folds). inputs: also `on pixels + HOG`.
    """
    name = row["model"]
    if inputs and row["inputs"] not in (None, MIXED):
        name += f" on {row['inputs']}"
    if row["views"] not in (None, "none"):
        name += f" + {row['views']}"
    apart = []
    if row["members"] not in (None, "1"):
        apart.append("ensemble of " * (row["inputs"] != MIXED) + row["members"])
    if row["subset"] not in (None, "all"):
        apart.append(f"{row['split']} rows {row['subset']}")
    return name + (f" ({', '.join(apart)})" if apart else "")


def several_inputs(rows: Iterable[Mapping]) -> bool:
    """Whether models differ in what they read, so that their labels should say it."""
    return len({row["inputs"] for row in rows} - {None, MIXED}) > 1


def trained_label(history: Mapping) -> str:
    """The model of a training, and what it reads where its room says so."""
    inputs = history.get("inputs")
    return history["model"] + (f" on {inputs}" if inputs else "")
