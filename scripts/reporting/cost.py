"""What the workflow itself costs, as Markdown, read from a benchmark."""

from pathlib import Path

from reporting.benchmarks import read_benchmark

NEEDED = ("what", "jobs", "seconds", "cpu_seconds", "peak_mb", "share", "limit", "within", "commit")


def read(path: Path) -> list[dict]:
    """The rows of benchmarks/dag_cost.py's CSV. Raises InputError if it lacks one of NEEDED."""
    return read_benchmark(path, NEEDED, "make bench-dag")


def told(text: str, unit: str, digits: int = 0) -> str:
    """A number of the table with its unit; nothing where none was measured."""
    return f"{float(text):,.{digits}f} {unit}" if text else ""


def markdown(rows: list[dict]) -> list[str]:
    """A table, a line a measurement, and how it was made."""
    lines = [
        "| what | jobs | wall time | CPU time | peak memory | limit | kept | measured at |",
        "|---|---:|---:|---:|---:|---|---|---|",
    ]
    for row in rows:
        share = f" ({100 * float(row['share']):.1f} % of the run)" if row["share"] else ""
        cells = (
            row["what"],
            f"{int(row['jobs']):,}" if row["jobs"] else "",
            told(row["seconds"], "s", 2) + share,
            told(row["cpu_seconds"], "s", 2),
            told(row["peak_mb"], "MB"),
            row["limit"],
            "yes" if row["within"] == "True" else "**no**",
            f"`{row['commit'][:7]}`",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, "", note(rows)]


def note(rows: list[dict]) -> str:
    """What is held against the limits, and where it was measured."""
    first = rows[0]
    parts = (
        ("cores", "{} cores"), ("processor", "{}"), ("snakemake", "Snakemake {}"),
    )  # fmt: skip
    machine = ", ".join(text.format(first[key]) for key, text in parts if first.get(key))
    overhead = (
        " The overhead is the wall time of the run less that of its jobs alone, packed on the same"
        " cores in the order that they allow."
    )
    seen = any(row["share"] for row in rows)
    return (
        "A dry run plans in an empty folder, a no-op is `make run` on a finished run. Planning is"
        " one thread that computes, so its CPU time, which other programs do not lengthen, is held"
        f" against the limit.{overhead if seen else ''} Measured: {machine or 'not told where'}."
        " `make bench-dag` measures it anew, `make readme` writes this table."
    )
