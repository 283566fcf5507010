"""Build report.html: one self-contained page with every number, figure and text of a run.

It loads nothing from anywhere: styles and script stand in the page, figures are data URIs.
All text is escaped by the template engine.
"""

import json

import jinja2
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from reporting import race, report, split_table, splits, texts
from reporting.leaderboard import read_leaderboard, read_references
from reporting.plots import COLOUR


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run")
    rooms: dict[str, list[str]] = Field({}, description="room -> its data sets")
    order: list[str] = Field([], description="the rooms in the order of the page")
    datasets: dict[str, dict] = Field({}, description="data set -> title, licence, citation ...")
    figures: list[dict[str, str]] = Field(
        [], description="kind, room, dataset and title of each figure, in the order of --figures"
    )
    records: list[str] = Field([], description="room of each of --records, in their order")
    samples: int = Field(6, ge=1, description="texts shown of each language model")
    ours: str = Field("#0072B2", pattern=COLOUR, description="colour of this run")
    published: str = Field("#D55E00", pattern=COLOUR, description="colour of published results")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "leaderboard": "leaderboard.csv",
            "references": "published results, references.yaml",
            "template": "the page's template, report.html.j2",
            "records*": "metrics, history, selection, ranking and samples files (.json)",
            "figures*": "the figures, .svg",
        },
        outputs={"out": "report.html"},
    )
    spec = args.spec
    for name, told, given in (
        ("figures", spec.figures, args.figures),
        ("records", spec.records, args.records),
    ):
        if len(told) != len(given):
            raise InputError(f"--spec {name}: expected {len(given)}, one a file: {len(told)}")
    ordered = {name: spec.rooms[name] for name in spec.order or spec.rooms}
    rooms = {
        name: {"name": name, "datasets": datasets, "figures": [], "histories": []}
        | {"metrics": [], "selections": [], "searches": [], "samples": []}
        for name, datasets in ordered.items()
    }
    for room, path in zip(spec.records, args.records, strict=True):
        record = json.loads(path.read_text(encoding="utf-8"))
        kind = report.kind_of(record, path)
        if kind == "searches":
            record = race.read_rung(record, str(path))
        rooms[room][kind].append(record)
    general = []
    for told, path in zip(spec.figures, args.figures, strict=True):
        figure = {**told, "uri": report.data_uri(path)}
        (rooms[told["room"]]["figures"] if told["room"] else general).append(figure)

    rows = read_leaderboard(args.leaderboard)
    sources, references = read_references(args.references)
    histories = [history for room in rooms.values() for history in room["histories"]]
    classifiers = splits.classifiers(rows)
    for room in rooms.values():
        own = {(row["dataset"], row["model"]) for made in room["metrics"] for row in made["rows"]}
        room["splits"] = [
            split_table.told(line) for line in classifiers if own & splits.names(line)
        ]
        room["races"] = [race.told(rungs) for rungs in race.apart(room["searches"])]
        room["trainings"] = report.trainings(room["histories"])
        room["grids"] = [report.search(selection) for selection in room["selections"]]
        room["texts"] = [texts.texts(samples, spec.samples) for samples in room["samples"]]
        room["data_notes"] = texts.data_notes(room["metrics"])
        room["notes"] = texts.notes(room["metrics"])
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = dict.fromkeys(name for names in ordered.values() for name in names)
    template = environment.from_string(args.template.read_text(encoding="utf-8"))
    page = template.render(
        spec=spec,
        rows=[report.shown(row) for row in rows],
        headline=report.headline(rows, references, shown),
        sources=[s for s in sources.values() if any(r["source"] == s["citation"] for r in rows)],
        claims=report.claims(references, spec.datasets),
        rooms=list(rooms.values()),
        figures=general,
        provenance=report.provenance(rows, histories),
        data_hashes={row["dataset"]: row["data_sha256"] for row in rows if row["data_sha256"]},
    )
    write_text(args.out, page + "\n")
    print(f"{len(rows)} rows, {len(args.figures)} figures -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
