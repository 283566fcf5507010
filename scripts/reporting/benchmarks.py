"""The Markdown of tables.md.j2, and what it shows of the CSV files that benchmarks/ writes."""

import csv
from pathlib import Path

import jinja2

from pipeline.errors import InputError

# A benchmark's file -> the columns that its table needs, and what measures it.
SPEED, COST = "mlp_step.csv", "dag_cost.csv"
NEEDED = {
    SPEED: ("peer", "batch_size", "ours_ms", "peer_ms", "ratio", "matmul_share"),
    COST: (
        "what", "jobs", "seconds", "cpu_seconds", "peak_mb", "share", "limit", "within", "commit",
    ),
}  # fmt: skip
COMMANDS = {SPEED: "make bench-mlp", COST: "make bench-dag PRESET=standard"}


def render(macro: str, *values: object, **named: object) -> str:
    """The text of a macro of tables.md.j2."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["milliseconds"] = milliseconds
    source = Path(__file__).with_name("tables.md.j2").read_text(encoding="utf-8")
    return getattr(environment.from_string(source).module, macro)(*values, **named).strip()


def milliseconds(text: str) -> str:
    value = float(text)
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} ms"


def markdown(name: str, path: Path) -> str:
    """The table of benchmark `name`, SPEED or COST, read from its CSV, and a paragraph on it.

    Raises InputError if a column is missing, or if there are no rows.
    """
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        rows = [{key: text.replace("|", "\\|") for key, text in row.items()} for row in reader]
    missing = [column for column in NEEDED[name] if column not in (reader.fieldnames or ())]
    if missing or not rows:
        needed = ", ".join(missing) or "rows"
        raise InputError(f"{path}: no {needed} in it: run {COMMANDS[name]} again")
    return render("speed" if name == SPEED else "cost", rows)
