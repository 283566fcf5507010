"""A fabricated run with its leaderboard, figures and report, made by the programs themselves."""

import dataclasses
import json
import sys
from pathlib import Path

import report_figures
from configuration import load_table
from fabricated_run import CLASSES, fabricate

from pipeline.atomic import write_json
from raw.table import Table
from reporting import (
    build_leaderboard,
    build_report,
    plot_attention,
    plot_confusion,
    plot_curves,
    plot_examples,
    plot_grid,
    plot_leaderboard,
    plot_positions,
    plot_race,
    plot_study,
    plot_twins,
)

CHOSEN = {
    "mlp": ["fashion_mnist"],
    "vision": ["cifar10"],
    "gpt": ["tinyshakespeare", "grammar_stories"],
    "dna": ["gue/prom_core_tata"],
    "seq2seq": ["genetic_code"],
}
PLOTS = {
    "curves": (plot_curves, "histories"),
    "grid": (plot_grid, "selections"),
    "race": (plot_race, "searches"),
    "confusion": (plot_confusion, "predictions"),
    "examples": (plot_examples, "images"),
    "attention": (plot_attention, "attention"),
    "positions": (plot_positions, "positions"),
    "twins": (plot_twins, "twins"),
    "study": (plot_study, "studies"),
}


def call(monkeypatch, module, spec, **options):
    """Run a program in this process, as its command line would."""
    words = [module.__name__, "--spec", json.dumps(spec)]
    for name, value in options.items():
        words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    monkeypatch.setattr(sys, "argv", words)
    module.main()


class Run:
    """A fabricated run with its leaderboard, figures and report."""

    def __init__(self, folder: Path, repository: Path, monkeypatch, change=lambda files: None):
        self.folder, self.patch, self.repository = folder, monkeypatch, repository
        self.files = fabricate(folder)
        change(self.files)
        self.table = load_table(repository / "config" / "datasets.yaml", Table)
        listed = {kind: list(map(str, paths)) for kind, paths in self.files.items()}
        self.groups = report_figures.curve_groups(listed, str(folder))
        self.plan = report_figures.plan(listed, str(folder), CHOSEN, self.table)
        self.meta = folder / "meta.json"
        write_json(self.meta, {"classes": CLASSES})
        call(
            monkeypatch,
            build_leaderboard,
            {"run": "made-up"},
            metrics=self.files["metrics"],
            references=repository / "config" / "references.yaml",
            out=folder / "leaderboard.csv",
            splits=folder / "accuracy_by_split.csv",
        )

    def draw(self, kind: str, figures: Path, last: bool = False) -> list[str]:
        """Draw the figures of a kind, or the last one alone; returns their names."""
        drawn = list(range(len(self.plan[kind])))[-1:] if last else range(len(self.plan[kind]))
        plan = [self.plan[kind][number] for number in drawn]
        spec = {"names": [f.name for f in plan], "titles": [f.title for f in plan], "dpi": 72}
        if kind == "leaderboard":
            spec["datasets"] = [figure.dataset for figure in plan]
            board = self.folder / "leaderboard.csv"
            call(self.patch, plot_leaderboard, spec, leaderboard=board, figures=figures)
            return spec["names"]
        module, source = PLOTS[kind]
        files = self.files[source]
        if kind == "curves":
            taken = [at for at, group in enumerate(self.groups) if group in drawn]
            spec["groups"] = [drawn.index(self.groups[at]) for at in taken]
            files = [files[at] for at in taken]
        elif kind == "race":
            spec["groups"] = [0] * len(files)
        elif kind != "study":
            files = [files[number] for number in drawn]
        if kind == "examples":
            spec["examples"] = 6
        source = "rankings" if kind == "race" else source
        more = {"meta": [self.meta] * len(files)} if kind == "confusion" else {}
        call(self.patch, module, spec, **{source: files}, **more, figures=figures)
        return spec["names"]

    def report(self) -> str:
        drawn = [
            (self.folder / "figures" / kind / figure.name, figure)
            for kind, figures in self.plan.items()
            for figure in figures
        ]
        kinds = ("metrics", "histories", "selections", "searches", "samples")
        records = [path for kind in kinds for path in self.files[kind]]
        spec = {
            "run": "made-up",
            "rooms": CHOSEN,
            "order": list(CHOSEN),
            "datasets": report_figures.about(
                [name for names in CHOSEN.values() for name in names], self.table
            ),
            "figures": [dataclasses.asdict(figure) for _, figure in drawn],
            "records": [report_figures.room(str(path), str(self.folder)) for path in records],
        }
        call(
            self.patch,
            build_report,
            spec,
            leaderboard=self.folder / "leaderboard.csv",
            references=self.repository / "config" / "references.yaml",
            template=self.repository / "workflow" / "report" / "report.html.j2",
            records=records,
            figures=[path for path, _ in drawn],
            out=self.folder / "report.html",
        )
        return (self.folder / "report.html").read_text()
