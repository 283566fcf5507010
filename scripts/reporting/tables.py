"""The Markdown tables of README.md, docs/results.md and results/reference/README.md.

Their words are in tables.md.j2.

The results have one line per model of ours, one column per split. More views and ensembles are
measured on the same test split, but are not one model that reads each example once: they have
columns of their own, and no published result is set beside them.
"""

import csv
from pathlib import Path

import jinja2

from pipeline.errors import InputError
from reporting.formats import counted, flops, seconds, weights
from reporting.headline import best_published, headline
from reporting.leaderboard import METRICS, number, ordinary
from reporting.report import short, shown
from reporting.splits import Line, lines, more_views, spread, validation_of

# The files of benchmarks/: those of side_by_side.py, each with what it times, and dag_cost.py's.
SPEEDS = {
    "mlp_step.csv": "MLP in NumPy",
    "mlp_products.csv": "MLP in NumPy",
    "gpt_speed.csv": "GPT",
    "numpy_gpt_speed.csv": "GPT by hand",
    "dna_speed.csv": "DNA encoder",
    "cnn_speed.csv": "CNN",
}
COST = "dag_cost.csv"
BENCHMARKS = (*SPEEDS, COST)
# A table made of them -> the columns that it needs, and what measures them.
NEEDED = {
    "speed": (
        "work", "peer", "ours", "theirs", "ratio", "unit", "processor", "threads", "versions",
        "commit",
    ),
    "cost": (
        "what", "jobs", "seconds", "cpu_seconds", "peak_mb", "share", "limit", "within", "commit",
    ),
}  # fmt: skip
# The data sets of the first page; docs/results.md has all.
FRONT = (
    "fashion_mnist", "cifar10", "tinyshakespeare", "tinystories", "gue/prom_core_tata",
    "gue/human_tf_2", "genetic_code",
)  # fmt: skip
COMMANDS = {"speed": "make bench-speed", "cost": "make bench-dag PRESET=standard"}


def rate(value: str, unit: str) -> str:
    """A throughput with three digits: 15,800 examples/s, 71.8 GFLOP/s."""
    number = float(value)
    if unit == "FLOP/s":
        return f"{flops(number)}/s"
    return f"{number:,.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


# What the template calls to write numbers and names as people read them.
FILTERS = (
    counted, flops, more_views, number, rate, seconds, short, shown, spread, validation_of, weights,
)  # fmt: skip


def render(macro: str, *values: object, **named: object) -> str:
    """The text of a macro of tables.md.j2."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {function.__name__: function for function in FILTERS}
    source = Path(__file__).with_name("tables.md.j2").read_text(encoding="utf-8")
    return getattr(environment.from_string(source).module, macro)(*values, **named).strip()


def read_benchmark(path: Path, table: str) -> list[dict[str, str]]:
    """The rows of a benchmark's CSV. Raises InputError if a column that `table` needs is missing,
    or if there are no rows."""
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        rows = [{key: text.replace("|", "\\|") for key, text in row.items()} for row in reader]
    missing = [column for column in NEEDED[table] if column not in (reader.fieldnames or ())]
    if missing or not rows:
        needed = ", ".join(missing) or "rows"
        raise InputError(f"{path}: no {needed} in it: run {COMMANDS[table]} again")
    return rows


def markdown(table: str, folder: Path) -> str:
    """The table "speed" or "cost", of the benchmarks whose CSVs are in `folder`, and a paragraph on
    it; an empty text if none is there. Raises InputError as read_benchmark does."""
    files = SPEEDS if table == "speed" else {COST: ""}
    rows = [
        {"of": of, **row}
        for name, of in files.items()
        if (folder / name).exists()
        for row in read_benchmark(folder / name, table)
    ]
    return render(table, rows) if rows else ""


def summary(rows: list[dict], sources: dict, references: list[dict], titles: dict) -> str:
    """A line per data set of FRONT: our single model that the headline chose, beside the best
    published one.

    sources, references: what read_references gives; titles: data set -> its title.
    """
    there = {row["dataset"] for row in rows}
    entries = headline(rows, references, [name for name in FRONT if name in there])
    return render("summary", entries, titles, sources, METRICS)


def chosen_lines(rows: list[dict], references: list[dict]) -> list[tuple[Line, str]]:
    """(line, split of the report's summary) of each data set's metric there; NumPy's sets first."""
    datasets = dict.fromkeys(row["dataset"] for row in rows)
    chosen = {
        entry["dataset"]: (entry["best"]["metric"], entry["best"]["split"])
        for entry in headline(rows, references, datasets)
    }
    found = [line for line in lines(rows) if line.metric == chosen.get(line.dataset, ("",))[0]]
    numpy = {line.dataset for line in found if line.implementation == "numpy"}
    found.sort(key=lambda line: line.dataset not in numpy)
    return [(line, chosen[line.dataset][1]) for line in found]


def markdown_table(rows: list[dict], sources: dict, references: list[dict]) -> list[str]:
    """Lines of the table. sources, references: what read_references gives.

    An ensemble of one model's folds or seeds is in that model's line, one of several models in a
    line of its own. The best published result appears once per data set, and only if it compares.
    """

    def key(line: Line) -> tuple[str, ...]:
        return line.run, line.dataset, line.model, line.inputs, line.implementation

    found = chosen_lines(rows, references)
    single = {key(line) for line, _ in found if not line.ensemble}
    told, last = [], None
    for line, split in found:
        if line.ensemble and key(line) in single:
            continue
        ensembles = [other for other, _ in found if other.ensemble and key(other) == key(line)]
        speaks = line.test if split == "test" else line.validation
        first, last = line.dataset != last, line.dataset
        best = best_published(speaks, references) if first and speaks and ordinary(speaks) else None
        told.append((line, split, first, ensembles, best))
    return render("results_table", told, sources, METRICS).splitlines()
