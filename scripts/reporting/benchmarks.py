"""The tables of README.md that come from benchmarks/: a training step, and the workflow's cost."""

import csv
from pathlib import Path

from pipeline.errors import InputError
from reporting.formats import table_line

# A benchmark's file -> the columns that its table needs, and what measures it.
SPEED, COST = "mlp_step.csv", "dag_cost.csv"
NEEDED = {
    SPEED: ("peer", "batch_size", "ours_ms", "peer_ms", "ratio", "matmul_share"),
    COST: (
        "what", "jobs", "seconds", "cpu_seconds", "peak_mb", "share", "limit", "within", "commit",
    ),
}  # fmt: skip
COMMANDS = {SPEED: "make bench-mlp", COST: "make bench-dag PRESET=standard"}


def markdown(name: str, path: Path) -> list[str]:
    """The table of benchmark `name`, SPEED or COST, read from its CSV, and a paragraph on it.

    Raises InputError if a column is missing, or if there are no rows.
    """
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        missing = [column for column in NEEDED[name] if column not in (reader.fieldnames or ())]
        rows = list(reader)
    if missing or not rows:
        needed = ", ".join(missing) or "rows"
        raise InputError(f"{path}: no {needed} in it: run {COMMANDS[name]} again")
    return speed_table(rows) if name == SPEED else cost_table(rows)


def made_on(row: dict, parts: dict[str, str]) -> str:
    """What a row says of the machine: parts are column -> text for its value, where it has one."""
    return ", ".join(text.format(row[key]) for key, text in parts.items() if row.get(key))


def speed_table(rows: list[dict]) -> list[str]:
    """A line per peer and batch size, and what its ratio means.

    If OpenBLAS was measured with several kernels, a column names them.
    """
    kernels = list(dict.fromkeys(row.get("blas_kernel") or "" for row in rows))
    several = len(kernels) > 1
    lines = [
        "| beside |" + " OpenBLAS kernels |" * several + " batch | NumPy, ours | the peer | ratio"
        " | of ours in matrix products |",
        "|---|" + "---|" * several + "---:|---:|---:|---:|---:|",
    ]
    last = None
    for row in sorted(rows, key=lambda row: kernels.index(row.get("blas_kernel") or "")):
        group = (row["peer"], row.get("blas_kernel") or "")
        cells = (
            *(group if group != last else ("", ""))[: 1 + several],
            row["batch_size"],
            milliseconds(row["ours_ms"]),
            milliseconds(row["peer_ms"]),
            f"**{float(row['ratio']):.3f}**",
            f"{float(row['matmul_share']):.0%}".replace("%", " %") if row["matmul_share"] else "",
        )
        lines.append(table_line(cells))
        last = group
    ratios = [float(row["ratio"]) for row in rows]
    ahead = ", so NumPy is ahead everywhere" if max(ratios) < 1 else ""
    parts = {
        "blocks": "medians of {} alternating blocks", "threads": "{} thread", "processor": "{}",
        "blas_kernel": "OpenBLAS kernels: {}", "commit": "commit `{}`", "numpy": "NumPy {}",
        "torch": "PyTorch {}", "scikit-learn": "scikit-learn {}",
    }  # fmt: skip
    pinned = ""
    if several:
        del parts["blas_kernel"]
        pinned = (
            " OpenBLAS, which NumPy and scikit-learn share, chooses its matrix kernels by the"
            " processor; OPENBLAS_CORETYPE pins them to those of another one. PyTorch has its own"
            " BLAS."
        )
    note = (
        "The ratio is our time over the peer's: below 1 the NumPy code is faster, and at 0.75 it"
        f" needs three quarters of the peer's time; here between {min(ratios):.3f} and"
        f" {max(ratios):.3f}{ahead}.{pinned} The net is 784-512-256-10 in float32, timed in one"
        f" process ({made_on(rows[0], parts)})."
        " `make bench-mlp` measures it again, `make readme` writes this table."
    )
    return [*lines, "", note]


def milliseconds(text: str) -> str:
    value = float(text)
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} ms"


def cost_table(rows: list[dict]) -> list[str]:
    """A line per measurement, and what the limits apply to."""

    def with_unit(text: str, unit: str, digits: int) -> str:
        return f"{float(text):,.{digits}f} {unit}" if text else ""

    lines = [
        "| what | jobs | wall time | CPU time | peak memory | limit | kept | measured at |",
        "|---|---:|---:|---:|---:|---|---|---|",
    ]
    for row in rows:
        share = f" ({100 * float(row['share']):.1f} % of the run)" if row["share"] else ""
        cells = (
            row["what"],
            f"{int(row['jobs']):,}" if row["jobs"] else "",
            with_unit(row["seconds"], "s", 2) + share,
            with_unit(row["cpu_seconds"], "s", 2),
            with_unit(row["peak_mb"], "MB", 0),
            row["limit"],
            "yes" if row["within"] == "True" else "**no**",
            f"`{row['commit'][:7]}`",
        )
        lines.append(table_line(cells))
    overhead = (
        " The overhead is the wall time of the run minus that of its jobs alone, packed on the same"
        " cores in an order that their dependencies allow."
    ) * any(row["share"] for row in rows)
    parts = {"cores": "{} cores", "processor": "{}", "snakemake": "Snakemake {}"}
    note = (
        "A dry run plans in an empty folder, a no-op is `make run` on a finished run. Planning is a"
        " single busy thread, so the limit applies to its CPU time, which other programs do not"
        f" lengthen.{overhead} Measured: {made_on(rows[0], parts) or 'machine unknown'}."
        " `make bench-dag` measures it again, `make readme` writes this table."
    )
    return [*lines, "", note]
