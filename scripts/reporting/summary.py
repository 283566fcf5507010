"""The leaderboard as a short Markdown table: ours, and the best published result beside each."""

from collections.abc import Mapping, Sequence

from reporting.leaderboard import METRICS, OURS, number, ordinary
from reporting.report import best_published, headline, seconds, weights

HEAD = (
    "| data set | model | metric (split) | value | ± std (seeds) | 95 % interval | weights"
    " | training a seed | best published |",
    "|---|---|---|---:|---:|---:|---:|---:|---|",
)


def shown(rows: Sequence[Mapping], references: Sequence[dict]) -> list[Mapping]:
    """Ours, for each data set under the metric and split of the report's summary.

    Ensembles and test-time flips have a row of their own; the parts of a test split and the further
    metrics stand in leaderboard.csv alone.
    """
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    chosen = {
        (entry["dataset"], entry["best"]["metric"], entry["best"]["split"])
        for entry in headline(list(rows), list(references), datasets)
    }
    return [
        row
        for row in rows
        if row["source"] == OURS
        and (row["dataset"], row["metric"], row["split"]) in chosen
        and "(test rows not" not in row["model"]
    ]


def markdown_table(
    rows: Sequence[Mapping], sources: Mapping[str, dict], references: Sequence[dict]
) -> list[str]:
    """Lines of the table, in the leaderboard's order.

    sources, references: what read_references gives. Published results stand beside ordinary rows
    only, and only those that compare.
    """
    lines = list(HEAD)
    for row in shown(rows, references):
        metric = row["metric"]
        other = best_published(row, references) if ordinary(row) else None
        spread = f"± {number(metric, row['std'])} " if row["std"] is not None else ""
        interval = ""
        if row["ci_low"] is not None:
            interval = f"{number(metric, row['ci_low'])} – {number(metric, row['ci_high'])}"
        source = sources[other["source"]]["citation"].split("), ")[0] if other else ""
        source += ")" if "(" in source and not source.endswith(")") else ""
        published = f"{number(metric, other['value'])}, {other['model']}; {source}" if other else ""
        cells = (
            row["dataset"],
            f"{row['model']} ({row['implementation']})",
            f"{METRICS[metric].title} ({row['split']})",
            f"**{number(metric, row['value'])}**",
            f"{spread}({row['n_seeds']})",
            interval,
            weights(row["parameters"]),
            seconds(row["train_seconds"]),
            published,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines
