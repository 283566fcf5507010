"""The results as a Markdown table: one line per model of ours, one column per split.

More views and ensembles are measured on the same test split, but are not one model that reads each
example once: they have columns of their own, and no published result is set beside them.
"""

from collections.abc import Mapping, Sequence

from reporting.formats import flops, seconds, weights
from reporting.headline import best_published, headline
from reporting.leaderboard import METRICS, number, ordinary
from reporting.splits import Line, lines, more_views, spread, validation_of

HEAD = (
    "| data set, metric | model | inputs | training | validation | test | test, more views"
    " | ensemble, test | weights | cost of a training | best published |",
    "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
)


def shown(rows: Sequence[Mapping], references: Sequence[dict]) -> list[tuple[Line, str]]:
    """(line, split of the report's summary) of each data set's metric there; NumPy's sets first."""
    datasets = dict.fromkeys(row["dataset"] for row in rows)
    chosen = {
        entry["dataset"]: (entry["best"]["metric"], entry["best"]["split"])
        for entry in headline(list(rows), list(references), datasets)
    }
    found = [line for line in lines(rows) if line.metric == chosen.get(line.dataset, ("",))[0]]
    numpy = {line.dataset for line in found if line.implementation == "numpy"}
    found.sort(key=lambda line: line.dataset not in numpy)
    return [(line, chosen[line.dataset][1]) for line in found]


def count(text: str) -> str:
    return f" ({text})" if text else ""


def ensemble_cell(line: Line) -> str:
    """An ensemble's test values, plain and of more views: `0.9150 (5 folds), 0.9170 + flips`."""
    values = [spread(line.test) + count(line.members)] if line.test else []
    return "<br>".join(values + more_views(line))


def test_cell(line: Line) -> str:
    row = line.test
    if row is None:
        return ""
    value, _, deviation = spread(row).partition(" ")
    seeds = count(f"{row['n_seeds']} seed{'s' if row['n_seeds'] > 1 else ''}")
    text = f"**{value}**" + (" " + deviation if deviation else "") + seeds
    if row["ci_low"] is not None:
        low, high = (number(row["metric"], row[key]) for key in ("ci_low", "ci_high"))
        text += f"<br>{low} – {high}"
    return text


def cost_cell(line: Line) -> str:
    """Time and arithmetic: `3 min 55 s<br>40.0 TFLOP`."""
    row = line.trained
    return "<br>".join(filter(None, (seconds(row["train_seconds"]), flops(row["train_flops"]))))


def published_cell(row: Mapping, sources: Mapping[str, dict], references: Sequence[dict]) -> str:
    other = best_published(row, references)
    if not other:
        return ""
    source = sources[other["source"]]["citation"].split("), ")[0]
    source += ")" if "(" in source and not source.endswith(")") else ""
    return f"{number(row['metric'], other['value'])}, {other['model']}; {source}"


def _key(line: Line) -> tuple[str, ...]:
    """What an ensemble of one model's folds or seeds shares with that model."""
    return line.dataset, line.model, line.inputs, line.implementation


def markdown_table(
    rows: Sequence[Mapping], sources: Mapping[str, dict], references: Sequence[dict]
) -> list[str]:
    """Lines of the table. sources, references: what read_references gives.

    An ensemble of one model's folds or seeds is in that model's line, one of several models in a
    line of its own. The best published result appears once per data set, and only if it compares.
    """
    found = shown(rows, references)
    single = {_key(line) for line, _ in found if not line.ensemble}
    several: dict[tuple, list[str]] = {}
    for line, _ in found:
        if line.ensemble:
            several.setdefault(_key(line), []).append(ensemble_cell(line))
    text, last = list(HEAD), None
    for line, split in found:
        if line.ensemble and _key(line) in single:
            continue
        first, last = line.dataset != last, line.dataset
        metric = METRICS[line.metric].title
        validation = spread(line.validation)
        if validation and split != "test" and not line.ensemble:
            validation = f"**{validation}**"
        speaks = line.test if split == "test" else line.validation
        published = first and speaks and ordinary(speaks)
        mark = "*" * line.ensemble
        cells = (
            f"{line.dataset}<br>{metric}" if first else "",
            f"{mark}{line.model}{mark} ({line.implementation})",
            line.inputs,
            spread(line.train),
            validation + count(validation_of(line)),
            "" if line.ensemble else test_cell(line),
            "" if line.ensemble else "<br>".join(more_views(line)),
            "<br>".join(several.get(_key(line), [])),
            weights(line.trained["parameters"]),
            cost_cell(line),
            published_cell(speaks, sources, references) if published else "",
        )
        text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return text
