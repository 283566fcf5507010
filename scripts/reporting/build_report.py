"""Build report.html: one self-contained page with every number, figure and text of a run.

It loads nothing from anywhere: styles and script are in the page, figures are data URIs.
All text is escaped by the template engine.
"""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import jinja2
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.read_json import read_json
from reporting import formats, leaderboard, race, report, splits
from reporting.headline import claims, headline
from reporting.leaderboard import read_leaderboard, read_references
from reporting.settings import Colour

# A key that only files of this kind have -> what the page calls them. Rungs have candidates too.
KINDS = {"rung": "searches", "rows": "metrics", "curve": "histories", "candidates": "selections"}
KINDS |= {"samples": "samples"}


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run")
    rooms: dict[str, list[str]] = Field({}, description="room -> its data sets")
    order: list[str] = Field([], description="the rooms in the order of the page")
    datasets: dict[str, dict] = Field({}, description="data set -> title, licence, citation ...")
    figures: list[dict[str, str]] = Field([], description="kind, room, title ... of each figure")
    records: list[str] = Field([], description="room of each of --records, in their order")
    samples: int = Field(6, ge=1, description="texts shown of each language model")
    ours: Colour = Field("#0072B2", description="colour of this run")
    published: Colour = Field("#D55E00", description="colour of published results")


def room(name: str, spec: Spec) -> dict:
    """A section of the page: `mlp`, or, of a page that joins several runs, `mlp@ensemble`."""
    kind, _, run = name.partition("@")
    about = {"name": name, "kind": kind, "run": run or spec.run, "datasets": spec.rooms[name]}
    return about | {kind: [] for kind in KINDS.values()}


def read_rooms(spec: Spec, records: Sequence[Path]) -> dict[str, dict]:
    """Room -> its name, data sets, and its files by kind, in the order of the page."""
    rooms: dict[str, dict] = {name: room(name, spec) for name in spec.order or spec.rooms}
    for name, path in zip(spec.records, records, strict=True):
        record = read_json(path, [])
        kind = next((kind for key, kind in KINDS.items() if key in record), None)
        if kind is None:
            raise InputError(f"{path}: expected one of the keys {', '.join(KINDS)}. Make it again.")
        rooms[name][kind].append(record)
    return rooms


# What the template calls to choose, and to write numbers and names as people read them.
FILTERS = (
    formats.counted, formats.flops, formats.seconds, formats.weights, leaderboard.number,
    race.label, race.searches, report.notes, report.search, report.shown, report.trainings,
    report.way, splits.more_views, splits.spread, splits.validation_of,
)  # fmt: skip
INPUTS = {
    "leaderboard": "leaderboard.csv",
    "references": "published results, references.yaml",
    "template": "the page's template, report.html.j2",
    "records*": "metrics, history, selection, ranking and samples files (.json)",
    "figures*": "the figures, .svg",
}
OUTPUTS = {"out": "report.html"}


def page(
    spec: Spec,
    rows: list[dict],
    published: tuple[dict, list[dict]],
    template: Path,
    records: Sequence[Path],
    drawn: Sequence[Path],
) -> str:
    """The page. rows: the leaderboard's; published: what read_references gives."""
    sources, references = published
    rooms = read_rooms(spec, records)
    # Images: so they bring no ids, styles or scripts into the page.
    figures = [
        {**described, "uri": "data:image/svg+xml;base64," + b64encode(path.read_bytes()).decode()}
        for described, path in zip(spec.figures, drawn, strict=True)
    ]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    datasets = dict.fromkeys(name for room in rooms.values() for name in room["datasets"])
    histories = [history for room in rooms.values() for history in room["histories"]]
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        spec=spec,
        rows=rows,
        classifiers=splits.classifiers(rows),
        headline=headline(rows, references, datasets),
        sources=[s for s in sources.values() if any(r["source"] == s["citation"] for r in rows)],
        claims=claims(references, spec.datasets),
        rooms=list(rooms.values()),
        figures=figures,
        provenance=report.provenance(rows, histories),
        counted=report.COUNTED,
        data_hashes={row["dataset"]: row["data_sha256"] for row in rows if row["data_sha256"]},
    )


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    rows, published = read_leaderboard(args.leaderboard), read_references(args.references)
    text = page(args.spec, rows, published, args.template, args.records, args.figures)
    write_text(args.out, text + "\n")
    print(f"{len(rows)} rows, {len(args.figures)} figures -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
