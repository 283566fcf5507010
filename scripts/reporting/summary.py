"""The results as a Markdown table: a line a model of ours, a column a split, none in another's.

Flips, shifts and ensembles are measured on the same test split, but are no single model as it is:
they have columns of their own, and no published result stands beside them.
"""

from collections.abc import Mapping, Sequence

from reporting.leaderboard import METRICS, number
from reporting.model_names import member, members
from reporting.report import best_published, headline, seconds, weights
from reporting.splits import Line, lines, more_views, spread, validation_of

HEAD = (
    "| data set, metric | model | inputs | training | validation | test | test, more views"
    " | ensemble, test | weights | time of a training | best published |",
    "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
)


def shown(rows: Sequence[Mapping], references: Sequence[dict]) -> list[tuple[Line, str]]:
    """(line, split of the report's summary) of each data set's metric there; NumPy's sets first."""
    datasets = dict.fromkeys(row["dataset"] for row in rows)
    chosen = {
        entry["dataset"]: (entry["best"]["metric"], entry["best"]["split"])
        for entry in headline(list(rows), list(references), datasets)
    }
    told = [line for line in lines(rows) if line.metric == chosen.get(line.dataset, ("",))[0]]
    numpy = {line.dataset for line in told if line.implementation == "numpy"}
    told.sort(key=lambda line: line.dataset not in numpy)
    return [(line, chosen[line.dataset][1]) for line in told]


def count(told: str) -> str:
    return f" ({told})" if told else ""


def ensemble_cell(line: Line) -> str:
    """An ensemble's test values, plain and of more views: `0.9150 (5 folds), 0.9170 + flips`."""
    parts = []
    if line.test:
        parts.append(spread(line.test) + count(members(line.model)))
    return "<br>".join(parts + more_views(line))


def test_cell(line: Line, bold: bool) -> str:
    row = line.test
    if row is None:
        return ""
    value, _, deviation = spread(row).partition(" ")
    seeds = count(f"{row['n_seeds']} seed{'s' if row['n_seeds'] > 1 else ''}")
    text = (f"**{value}**" if bold else value) + (" " + deviation if deviation else "") + seeds
    if row["ci_low"] is not None:
        low, high = (number(row["metric"], row[key]) for key in ("ci_low", "ci_high"))
        text += f"<br>{low} – {high}"
    return text


def published_cell(row: Mapping, sources: Mapping[str, dict], references: Sequence[dict]) -> str:
    other = best_published(row, references)
    if not other:
        return ""
    source = sources[other["source"]]["citation"].split("), ")[0]
    source += ")" if "(" in source and not source.endswith(")") else ""
    return f"{number(row['metric'], other['value'])}, {other['model']}; {source}"


def _key(line: Line) -> tuple[str, str, str]:
    """What an ensemble of one model's folds or seeds shares with that model."""
    return line.dataset, member(line.model), line.implementation


def markdown_table(
    rows: Sequence[Mapping], sources: Mapping[str, dict], references: Sequence[dict]
) -> list[str]:
    """Lines of the table. sources, references: what read_references gives.

    An ensemble of one model's folds or seeds stands in that model's line, one of several models in
    a line of its own. The best published result stands once a data set, and only if it compares.
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
        speaks = line.test if split == "test" else line.validation
        first = line.dataset != last
        metric = METRICS[line.metric].title
        validation = spread(line.validation)
        bold = not line.ensemble
        cells = (
            f"{line.dataset}<br>{metric}" if first else "",
            f"{'*' * line.ensemble}{line.model}{'*' * line.ensemble} ({line.implementation})",
            line.inputs,
            spread(line.train),
            (f"**{validation}**" if bold and split != "test" and validation else validation)
            + count(validation_of(line)),
            test_cell(line, bold) if not line.ensemble else "",
            "<br>".join(more_views(line)) if not line.ensemble else "",
            ensemble_cell(line) if line.ensemble else "<br>".join(several.get(_key(line), [])),
            weights(line.trained["parameters"]),
            seconds(line.trained["train_seconds"]),
            published_cell(speaks, sources, references)
            if first and speaks and not line.ensemble
            else "",
        )
        text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        last = line.dataset
    return text
