"""What the workflow itself costs, as Markdown, read from a benchmark."""

from pathlib import Path

from reporting.benchmarks import read_benchmark

NEEDED = ("what", "jobs", "seconds", "cpu_seconds", "peak_mb", "share", "limit", "within", "commit")


def read(path: Path) -> list[dict]:
    """The rows of benchmarks/dag_cost.py's CSV. Raises InputError if it lacks one of NEEDED."""
    return read_benchmark(path, NEEDED, "make bench-dag")


def with_unit(text: str, unit: str, digits: int = 0) -> str:
    """A number with its unit; an empty text where none was measured."""
    return f"{float(text):,.{digits}f} {unit}" if text else ""


def markdown(rows: list[dict]) -> list[str]:
    """A table, one line per measurement, and how it was made."""
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
            with_unit(row["peak_mb"], "MB"),
            row["limit"],
            "yes" if row["within"] == "True" else "**no**",
            f"`{row['commit'][:7]}`",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, "", note(rows)]


def note(rows: list[dict]) -> str:
    """What the limits apply to, and where it was measured."""
    first = rows[0]
    parts = (
        ("cores", "{} cores"), ("processor", "{}"), ("snakemake", "Snakemake {}"),
    )  # fmt: skip
    machine = ", ".join(text.format(first[key]) for key, text in parts if first.get(key))
    overhead = (
        " The overhead is the wall time of the run minus that of its jobs alone, packed on the same"
        " cores in an order that their dependencies allow."
    )
    seen = any(row["share"] for row in rows)
    return (
        "A dry run plans in an empty folder, a no-op is `make run` on a finished run. Planning is a"
        " single busy thread, so the limit applies to its CPU time, which other programs do not"
        f" lengthen.{overhead if seen else ''} Measured: {machine or 'machine unknown'}."
        " `make bench-dag` measures it again, `make readme` writes this table."
    )
