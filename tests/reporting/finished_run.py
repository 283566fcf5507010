"""A fabricated run with its leaderboard, figures and report, made by the programs themselves."""

import json
import sys
from pathlib import Path

import report_figures
from configuration import load_table
from fabricated_run import fabricate, write_data

from pipeline.atomic import write_csv
from pipeline.results import COLUMNS
from raw.table import Table
from reporting import build_leaderboard, build_report, draw_figures
from reporting.leaderboard import read_leaderboard

CHOSEN = {
    "mlp": ["fashion_mnist"],
    "vision": ["cifar10"],
    "gpt": ["tinyshakespeare", "grammar_stories"],
    "dna": ["gue/prom_core_tata"],
    "seq2seq": ["genetic_code"],
}
RECORDED = ("metrics", "histories", "selections", "searches", "samples", "twins")
RECORDED += ("curves", "motifs")


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
        self.processed = folder.parent / "processed"
        write_data(self.processed)
        self.table = load_table(repository / "config" / "datasets.yaml", Table)
        listed = {kind: list(map(str, paths)) for kind, paths in self.files.items()}
        self.plan = report_figures.plan(listed, str(folder), CHOSEN, self.table)
        call(
            monkeypatch,
            build_leaderboard,
            {"run": "made-up"},
            metrics=self.files["metrics"],
            references=repository / "config" / "references.yaml",
            out=folder / "leaderboard.csv",
            splits=folder / "accuracy_by_split.csv",
        )

    def draw(self, figures: Path) -> None:
        """Draw all figures into a folder."""
        sources = [report_figures.sources(figure, str(self.processed)) for figure in self.plan]
        drawn = [
            {"kind": figure.kind, "name": figure.name, "title": figure.title, "files": len(files)}
            for figure, files in zip(self.plan, sources, strict=True)
        ]
        files = [path for paths in sources for path in paths]
        call(self.patch, draw_figures, {"figures": drawn}, files=files, figures=figures)

    def keep(self) -> Path:
        """An earlier leaderboard of this run, on which every accuracy was lower by 0.04."""
        rows = read_leaderboard(self.folder / "leaderboard.csv")
        for row in rows:
            row["commit"] = "ba9876543210"
            if row["metric"] == "accuracy":
                row["value"] -= 0.04
        write_csv(self.folder.parent / "kept.csv", rows, COLUMNS)
        return self.folder.parent / "kept.csv"

    def report(self) -> str:
        records = [path for kind in RECORDED for path in self.files[kind]]
        spec = {
            "run": "made-up",
            "rooms": CHOSEN,
            "order": list(CHOSEN),
            "datasets": report_figures.about(
                [name for names in CHOSEN.values() for name in names], self.table
            ),
            "figures": [report_figures.told(figure) for figure in self.plan],
            "records": [
                {
                    "room": report_figures.room(str(path), str(self.folder)),
                    "folder": report_figures.folder(str(path), str(self.folder)),
                }
                for path in records
            ],
            "presets": ["made"],
            "peaks": {"Example Processor 3000, AVX2, float32": 2e12},
        }
        call(
            self.patch,
            build_report,
            spec,
            leaderboard=self.folder / "leaderboard.csv",
            references=self.repository / "config" / "references.yaml",
            template=self.repository / "workflow" / "report" / "report.html.j2",
            kept=self.keep(),
            records=records,
            figures=[self.folder / "figures" / one.kind / one.name for one in self.plan],
            out=self.folder / "report.html",
        )
        return (self.folder / "report.html").read_text()
