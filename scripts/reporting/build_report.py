"""Build report.html: one self-contained page with every number, figure and text of a run.

It loads nothing from anywhere: styles, script and charts are in the page. All text is escaped by
the template engine.
"""

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.read_json import read_json
from pipeline.results import COLUMNS
from reporting import (
    chapters,
    charts,
    comparison,
    formats,
    leaderboard,
    logos,
    race,
    record_charts,
    report,
    score_curves,
    splits,
)
from reporting.headline import claims, headline
from reporting.leaderboard import SPLITS, read_leaderboard, read_references
from reporting.policy import digest
from reporting.settings import Colour


class Record(settings.Settings):
    room: str = Field(description="the section of the page that it belongs to")
    folder: str = Field(description="its folder below the run's: mlp/plain")


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run")
    rooms: dict[str, list[str]] = Field({}, description="room -> its data sets")
    order: list[str] = Field([], description="the rooms in the order of the page")
    datasets: dict[str, dict] = Field({}, description="data set -> title, licence, citation ...")
    figures: list[dict[str, str]] = Field([], description="kind, room, folder ... of each figure")
    records: list[Record] = Field([], description="of each of --records, in their order")
    presets: list[str] = Field([], description="runs that `make run PRESET=` makes")
    peaks: dict[str, float] = Field({}, description="processor, kernels -> FLOP/s of one thread")
    samples: int = Field(3, ge=1, description="texts shown of each language model")
    rows: int = Field(12, ge=3, description="most rows in a chart beside published results")
    ours: Colour = Field("#0072B2", description="colour of this run")
    published: Colour = Field("#D55E00", description="colour of published results")
    play: str = Field("", description="the live page beside this one; empty: none")


def room(name: str, spec: Spec, records: Sequence[tuple[Record, dict]], figures: Sequence) -> dict:
    """A section of the page: `mlp`, or, of a page that joins several runs, `mlp@ensemble`.

    Its name, data sets, chapters, and the files by kind that no chapter has: of searches.
    """
    kind, _, run = name.partition("@")
    found = {"name": name, "kind": kind, "run": run or spec.run, "datasets": spec.rooms[name]}
    found["id"] = chapters.anchor(kind, run)
    own = [(record.folder, content) for record, content in records if record.room == name]
    drawn = [figure for figure in figures if figure["room"] == name]
    found["chapters"] = chapters.chapters(found, own, drawn)
    kinds = {chapters.kind_of(content): [] for _, content in own}
    for _, content in own:
        kinds[chapters.kind_of(content)].append(content)
    return found | {name: kinds.get(name, []) for name in ("searches", "selections", "histories")}


def read_record(path: Path) -> dict:
    """A file of a room. Raises InputError if it is none of those that the page knows."""
    record = read_json(path, [])
    if not any(key in record for key in chapters.KINDS):
        wanted = ", ".join(chapters.KINDS)
        raise InputError(f"{path}: expected one of the keys {wanted}. Make it again.")
    return record


def csv_of(rows: Sequence[Mapping]) -> str:
    """The leaderboard as an address that a browser saves as a CSV file."""
    held = io.StringIO()
    writer = csv.DictWriter(held, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "data:text/csv;charset=utf-8," + quote(held.getvalue())


def grouped(rows: Sequence[dict]) -> list[tuple[str, list[tuple[str, str, list[dict]]]]]:
    """[data set, [metric, split, rows]], so that a table holds what can be compared; the best row
    on top, test splits before the others."""
    places = [*SPLITS, "train"]
    found = []
    for dataset, of in groupby(rows, lambda row: row["dataset"]):
        tables = [
            (*key, list(same))
            for key, same in groupby(of, lambda row: (row["metric"], row["split"]))
        ]
        found.append((dataset, sorted(tables, key=lambda table: places.index(table[1]))))
    return found


def story(rooms: Sequence[Mapping]) -> dict | None:
    """A whole text for the first screen: the first sample of the first model of stories, or of the
    first language model if none writes stories. None of them is chosen by its text."""
    records = [
        {**record, "chapter": chapter}
        for room in rooms
        for chapter in room["chapters"]
        for record in chapter["samples"]
        if record["samples"]
    ]
    return min(records, key=lambda record: "stor" not in record["dataset"], default=None)


def codons(rooms: Sequence[Mapping]) -> dict | None:
    """The two sharpest heads of the first translation's cross-attention, and its chapter."""
    return next(
        (
            {"chapter": chapter, "panels": [renamed(one) for one in figure["panels"][:2]]}
            for room in rooms
            if room["kind"] == "seq2seq"
            for chapter in room["chapters"]
            for figure in chapter["figures"]
            if figure["kind"] == "attention"
        ),
        None,
    )


def renamed(panel: Markup) -> Markup:
    """A panel that the page shows twice, under a name of its own."""
    return Markup(str(panel).replace('aria-label="', 'aria-label="At a glance: ', 1))


def chapter_of(rooms: Sequence[Mapping], row: Mapping) -> str:
    """The id of the chapter whose model a row of the leaderboard is of; empty if there is none."""
    keys = ("run", "dataset", "model", "inputs", "implementation")
    wanted = [row[key] for key in keys]
    return next(
        (
            chapter["id"]
            for room in rooms
            for chapter in room["chapters"]
            if any([one[key] for key in keys] == wanted for one in chapter["rows"])
        ),
        "",
    )


# What the template calls to choose, to draw, and to write numbers and names as people read them.
FILTERS = (
    chapters.anchor, digest, formats.counted, formats.flops, formats.seconds,
    formats.weights, leaderboard.number, logos.motif_names, logos.word, race.label, race.searches,
    report.notes, report.search, report.shown, report.way, shlex.quote,
    score_curves.quality_of, splits.more_views, splits.spread, splits.validation_of,
)  # fmt: skip
CHARTS = (
    logos.logos, logos.profiles, score_curves.score_curves,
    record_charts.beside_published, record_charts.by_compute, record_charts.curves,
    record_charts.grid, record_charts.race_of, record_charts.told, record_charts.twins,
    record_charts.verdict,
)  # fmt: skip
INPUTS = {
    "leaderboard": "leaderboard.csv",
    "references": "published results, references.yaml",
    "template": "the page's template, report.html.j2",
    "kept?": "a leaderboard with an earlier run of this name, to compare with",
    "records*": "metrics, history, selection and other files of the rooms (.json)",
    "figures*": "the figures, .svg, by draw_figures",
}
OUTPUTS = {"out": "report.html"}


def drawing(function):
    """A function that draws panels, as one that a template takes for markup."""

    def drawn(*values, **named):
        found = function(*values, **named)
        return Markup(found) if isinstance(found, str) else [Markup(one) for one in found]

    return drawn


def page(
    spec: Spec,
    rows: list[dict],
    published: tuple[dict, list[dict]],
    template: Path,
    records: Sequence[Path],
    drawn: Sequence[Path],
    kept: Sequence[dict] = (),
) -> str:
    """The page. rows: the leaderboard's; published: what read_references gives; kept: rows of an
    earlier leaderboard."""
    sources, references = published
    contents = [read_record(path) for path in records]
    figures = [
        {**described, "panels": [Markup(one) for one in charts.panels_of(path.read_text("utf-8"))]}
        for described, path in zip(spec.figures, drawn, strict=True)
    ]
    told = list(zip(spec.records, contents, strict=True))
    rooms = [room(name, spec, told, figures) for name in spec.order or spec.rooms]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    environment.filters |= {function.__name__: drawing(function) for function in CHARTS}
    datasets = dict.fromkeys(name for one in rooms for name in one["datasets"])
    histories = [history for one in rooms for history in one["histories"]]
    for at, one in enumerate(rooms):
        before = {name for other in rooms[:at] for name in other["datasets"]}
        one["first"] = [name for name in one["datasets"] if name not in before]
    summary = headline(rows, references, datasets)
    for entry in summary:
        entry["chapter"] = chapter_of(rooms, entry["best"])
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        spec=spec,
        rows=rows,
        grouped=grouped(rows),
        csv=csv_of(rows),
        style=Markup(charts.STYLE),
        summary=summary,
        chosen={entry["chapter"] for entry in summary},
        story=story(rooms),
        codons=codons(rooms),
        earlier=comparison.earlier(rows, kept),
        sources=[s for s in sources.values() if any(r["source"] == s["citation"] for r in rows)],
        claims=claims(references, spec.datasets),
        rooms=rooms,
        provenance=report.provenance(rows, histories),
        counted=report.COUNTED,
        metrics=leaderboard.METRICS,
        split_titles=SPLITS | {"train": "training split"},
        data_hashes={row["dataset"]: row["data_sha256"] for row in rows if row["data_sha256"]},
    )


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    rows, published = read_leaderboard(args.leaderboard), read_references(args.references)
    kept = read_leaderboard(args.kept) if args.kept else []
    text = page(args.spec, rows, published, args.template, args.records, args.figures, kept)
    write_text(args.out, text + "\n")
    print(f"{len(rows)} rows, {len(args.figures)} figures -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
