"""How long a training step of Part 1 takes beside its peers, as Markdown, read from a benchmark."""

import csv
from pathlib import Path

from pipeline.errors import InputError

NEEDED = ("peer", "batch_size", "ours_ms", "peer_ms", "ratio", "matmul_share")


def read(path: Path) -> list[dict]:
    """The rows of benchmarks/mlp_step.py's CSV. Raises InputError if it lacks one of NEEDED."""
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
        rows = list(reader)
    if missing or not rows:
        raise InputError(f"{path}: no {', '.join(missing) or 'rows'} in it: make bench-mlp anew")
    return rows


def milliseconds(text: str) -> str:
    value = float(text)
    return (
        f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"
    )


def markdown(rows: list[dict]) -> list[str]:
    """A table, a line a peer and batch size, and two sentences on what its ratio means."""
    lines = [
        "| beside | batch | NumPy, ours | the peer | ratio | of ours in matrix products |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    ranges: dict[str, list[float]] = {}
    for row in rows:
        ratio = float(row["ratio"])
        peer = row["peer"]
        share = f"{100 * float(row['matmul_share']):.0f} %" if row["matmul_share"] else ""
        cells = (
            peer if peer not in ranges else "",
            row["batch_size"],
            milliseconds(row["ours_ms"]),
            milliseconds(row["peer_ms"]),
            f"**{ratio:.2f}**",
            share,
        )
        ranges.setdefault(peer, []).append(ratio)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    least, most = min(map(min, ranges.values())), max(map(max, ranges.values()))
    verdict = (
        f"here between {least:.2f} and {most:.2f}, so NumPy is ahead everywhere"
        if most < 1
        else f"here between {least:.2f} and {most:.2f}"
    )
    first = rows[0]
    machine = ", ".join(
        text
        for key, text in (
            ("blocks", f"medians of {first.get('blocks')} alternating blocks"),
            ("threads", f"{first.get('threads')} thread"),
            ("processor", f"{first.get('processor')}"),
            ("commit", f"commit `{first.get('commit')}`"),
        )
        if first.get(key)
    )
    versions = ", ".join(
        f"{title} {first[key]}"
        for key, title in (
            ("numpy", "NumPy"),
            ("torch", "PyTorch"),
            ("scikit-learn", "scikit-learn"),
        )
        if first.get(key)
    )
    note = (
        "The ratio is our time over the peer's: below 1 the NumPy code is the faster one, and at"
        f" 0.75 it needs three quarters of the peer's time; {verdict}. The net is 784-512-256-10 in"
        f" float32, timed in one process ({machine}{'; ' if versions else ''}{versions})."
        " `make bench-mlp` measures it anew, `make readme` writes this table."
    )
    return [*lines, "", note]
