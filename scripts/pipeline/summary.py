"""The leaderboard as a short Markdown table: ours, and the best published result beside each."""

from collections.abc import Mapping, Sequence

from pipeline.leaderboard import METRICS, OURS, number, ordinary
from pipeline.report import best_published, seconds, weights

HEAD = (
    "| data set | model | metric (split) | value | ± std (seeds) | 95 % interval | weights"
    " | training a seed | best published |",
    "|---|---|---|---:|---:|---:|---:|---:|---|",
)


def shown(rows: Sequence[Mapping]) -> list[Mapping]:
    """Ours on test; where a data set and metric has none, on validation. Never train or cv."""
    ours = [row for row in rows if row["source"] == OURS]
    tested = {(row["dataset"], row["metric"]) for row in ours if row["split"] == "test"}
    return [
        row
        for row in ours
        if row["split"] == "test"
        or (row["split"] == "val" and (row["dataset"], row["metric"]) not in tested)
    ]


def markdown_table(
    rows: Sequence[Mapping], sources: Mapping[str, dict], references: Sequence[dict]
) -> list[str]:
    """Lines of the table, in the leaderboard's order.

    sources, references: what read_references gives. Published results stand beside ordinary rows
    only, and only those that compare.
    """
    lines = list(HEAD)
    for row in shown(rows):
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
