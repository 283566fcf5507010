"""Figures and report: self-contained, escaped, the same bytes each time; README's table."""

import base64
import dataclasses
import itertools
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import dag_cost
import numpy as np
import pytest
import report_figures
import yaml
from fabricated_run import CLASSES, fabricate, metrics_row

from pipeline.atomic import write_json
from pipeline.errors import InputError
from reporting import build_leaderboard as build_leaderboard
from reporting import build_report as build_report
from reporting import collect_reference as collect_reference
from reporting import cost, plots, speed
from reporting import plot_attention as plot_attention
from reporting import plot_confusion as plot_confusion
from reporting import plot_curves as plot_curves
from reporting import plot_examples as plot_examples
from reporting import plot_grid as plot_grid
from reporting import plot_leaderboard as plot_leaderboard
from reporting import plot_positions as plot_positions
from reporting import plot_race as plot_race
from reporting import update_readme as update_readme
from reporting.formats import COUNTED, flops, seconds, weights
from reporting.headline import headline, standing
from reporting.leaderboard import METRICS, read_leaderboard, read_references
from reporting.report import trainings
from reporting.summary import markdown_table
from reporting.texts import data_notes, notes, way

CHOSEN = {
    "mlp": ["fashion_mnist"],
    "vision": ["cifar10"],
    "gpt": ["tinyshakespeare", "grammar_stories"],
    "dna": ["gue/prom_core_tata"],
    "seq2seq": ["genetic_code"],
}
EVIL = "<script>alert(1)</script>\"'&{{ 7 * 7 }}$x^2$"
SPEED = """peer,batch_size,ours_ms,peer_ms,ratio,matmul_share,blocks,threads,commit,processor
"PyTorch eager, a step",128,3.033,3.985,0.762,0.832,9,1,bbe457c53e28,AMD EPYC
"scikit-learn MLPClassifier, an epoch",128,309.022,395.167,0.82,,9,1,bbe457c53e28,AMD EPYC
"""
COST = """what,jobs,seconds,cpu_seconds,peak_mb,share,limit,within,cores,commit,processor,snakemake
"plan 10,000 CV jobs",10021,71.06,41.514,702,,"60 s, 2 GB",True,2,bbe457c53e28,AMD EPYC,9.9.0
dry run of full,2400,9.5,4.25,150,,4 s,False,2,bbe457c53e28,AMD EPYC,9.9.0
overhead of standard,210,41.5,,,0.0213,5 %,True,2,bbe457c53e28,AMD EPYC,9.9.0
"""
TABLES = ("results", "ensemble", "speed", "cost")
PLOTS = {
    "curves": (plot_curves, "histories"),
    "grid": (plot_grid, "selections"),
    "race": (plot_race, "searches"),
    "confusion": (plot_confusion, "predictions"),
    "examples": (plot_examples, "images"),
    "attention": (plot_attention, "attention"),
    "positions": (plot_positions, "positions"),
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
        self.table = yaml.safe_load((repository / "config" / "datasets.yaml").read_text())
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
        spec = {"names": [figure.name for figure in plan], "dpi": 72}
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
            spec |= {"groups": [0] * len(files), "titles": [figure.title for figure in plan]}
        else:
            spec["titles"] = [figure.title for figure in plan]
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A fabricated run, finished: leaderboard, every figure, report."""
    repository = Path(__file__).resolve().parents[2]
    with pytest.MonkeyPatch.context() as patch:
        run = Run(tmp_path_factory.mktemp("results") / "made-up", repository, patch)
        for kind in run.plan:
            run.draw(kind, run.folder / "figures" / kind)
        run.report()
        yield run


class Resources(HTMLParser):
    """Collects what a page would load, and its scripts and links."""

    def __init__(self):
        super().__init__()
        self.loaded, self.links, self.scripts, self.ids = [], [], 0, []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.scripts += tag == "script"
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        else:
            keys = ("src", "href", "srcset", "data", "poster", "action")
            self.loaded += [found[key] for key in keys if key in found]


def test_the_report_loads_nothing_from_anywhere(finished):
    text = (finished.folder / "report.html").read_text()
    page = Resources()
    page.feed(text)
    assert len(page.loaded) == sum(map(len, finished.plan.values()))
    assert all(url.startswith("data:image/svg+xml;base64,") for url in page.loaded)
    assert page.scripts == 1
    assert "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text
    assert len(page.ids) == len(set(page.ids))
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids) and {"leaderboard", "provenance", *CHOSEN} <= inner
    for url in page.loaded:
        svg = base64.b64decode(url.split(",", 1)[1]).decode()
        assert not re.search(r"(?:xlink:href|href|src)=\"(?!#|data:image/png)", svg)


def test_the_report_shows_what_the_issue_asks_for(finished):
    text = (finished.folder / "report.html").read_text()
    for told in (
        "0.9016", "0.8955 – 0.9075", "± 0.0017", "WRN-40-4", "0.9498", "93.0 %", "temperature 0.8",
        "0123456789ab", "Example Processor 3000", "never mixed", "stand-in", "top-k 40", "selected",
        "The data: the floor is 0.1234 bits per byte.", "19.3 TFLOP", COUNTED,
    ):  # fmt: skip
        assert told in text, told


def test_the_same_report_comes_out_again(finished):
    assert finished.report() == finished.report()


@pytest.mark.parametrize("kind", [*PLOTS, "leaderboard"])
def test_figures_have_the_same_bytes_each_time(finished, tmp_path, kind):
    """The last one, drawn alone, is the same as after all the others: nothing leaks."""
    first = finished.folder / "figures" / kind
    names = [figure.name for figure in finished.plan[kind]]
    assert sorted(names) == sorted(path.name for path in first.iterdir()) != []
    assert finished.draw(kind, tmp_path, last=True) == names[-1:]
    assert (tmp_path / names[-1]).read_bytes() == (first / names[-1]).read_bytes()
    for name in names:
        content = (first / name).read_bytes()
        assert b"<dc:date>" not in content and b" \n" not in content


def test_evil_text_stays_text(finished, tmp_path, repository, monkeypatch):
    def change(files):
        for path in files["samples"]:
            record = json.loads(path.read_text())
            record["note"] = EVIL
            record["samples"][0] |= {"prompt": EVIL, "text": EVIL + EVIL}
            write_json(path, record)
        for path in files["metrics"]:
            record = json.loads(path.read_text())
            record["notes"] = {EVIL: EVIL, "list": [EVIL]}
            for row in record["rows"]:
                row["model"] += EVIL
            write_json(path, record)
        for path in files["histories"]:
            write_json(path, {**json.loads(path.read_text()), "model": EVIL})

    run = Run(tmp_path / "made-up", repository, monkeypatch, change)
    shutil.copytree(finished.folder / "figures", run.folder / "figures")
    for kind in ("curves", "leaderboard"):
        run.draw(kind, run.folder / "figures" / kind, last=True)
    text = run.report()
    page = Resources()
    page.feed(text)
    assert page.scripts == 1
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7 * 7 }}" in text  # The template's language in data is data.


def test_confusion_counts_by_hand():
    label, prediction = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    wanted = [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert plot_confusion.confusion(label, prediction, 3).tolist() == wanted


def test_a_diverged_candidate_and_a_single_one_can_be_drawn(finished, tmp_path, monkeypatch):
    one = {"lr": 0.1, "batch_size": 32, "dropout": 0.0, "fold_accuracy": [0.9], "std": None}
    bad = {**one, "lr": 9.0, "fold_accuracy": [], "mean": None}
    path = tmp_path / "selection.json"
    for candidates in ([{**one, "mean": 0.9}], [{**one, "mean": 0.9}, bad]):
        write_json(path, {"candidates": candidates, "selected": candidates[0]})
        call(monkeypatch, plot_grid, {}, selections=[path], figures=tmp_path / "figures")
    write_json(path, {"candidates": [bad], "selected": bad})
    with pytest.raises(InputError, match="finite mean"):
        call(monkeypatch, plot_grid, {}, selections=[path], figures=tmp_path / "figures")


def test_a_figure_of_the_leaderboard_leaves_room_for_published_results():
    group = [of_this_run(model="single", values=[0.5])]
    group += [of_this_run(members=f"{n} folds", values=[0.9]) for n in range(20)]
    published = [{**of_this_run(model=f"p{n}", values=[0.8]), "source": "S (2020)"} for n in "abc"]
    kept = [row["model"] for row in plot_leaderboard.keep([*group, *published], 9)]
    assert len(kept) == 9 and {"single", "pa", "pb", "pc"} <= set(kept)
    assert len(plot_leaderboard.keep(published + group[:1], 3)) == 3


def test_names_and_inputs_must_agree(finished, tmp_path, monkeypatch):
    paths = finished.files["attention"]
    with pytest.raises(InputError, match="names: expected 1"):
        spec = {"names": ["a.svg", "b.svg"]}
        call(monkeypatch, plot_attention, spec, attention=paths, figures=tmp_path)


def test_the_place_of_a_file_in_the_report():
    chosen = {"dna": ["statlog_dna", "gue/prom_core_tata"], "vision": ["cifar10"]}
    place = report_figures.place
    found = place("results/x/dna/gue/prom_core_tata/predictions.csv", "results/x", chosen)
    assert found == ("dna", "gue/prom_core_tata", "")
    found = place("results/x/vision/cnn/predictions.csv", "results/x", chosen)
    assert found == ("vision", "cifar10", "cnn")
    with pytest.raises(ValueError, match="none of the data sets"):
        place("results/x/dna/predictions.csv", "results/x", chosen)


def test_the_look_is_no_part_of_the_configuration_s_hash():
    config = {"run": "a", "mlp": {"lr": [1, 2]}, "report": {"dpi": 1}, "data_mirror": None}
    first = report_figures.config_sha256(config)
    assert first == report_figures.config_sha256({**config, "report": {"dpi": 2}})
    assert first != report_figures.config_sha256({**config, "mlp": {"lr": [1, 3]}})


def test_rows_of_the_leaderboard_are_as_high_as_their_longest_name():
    several = [of_this_run(), of_this_run(inputs="HOG")]
    assert plot_leaderboard.labels(several)[1] == "MLP 784-512-256-10 on HOG [numpy]"
    assert plot_leaderboard.labels(several[1:]) == ["MLP 784-512-256-10 [numpy]"]
    short, long = of_this_run(model="a"), of_this_run(model="a long name of many words " * 4)
    assert plot_leaderboard.labels([long])[0].count("\n") == 2
    assert plot_leaderboard.height([short, long]) > plot_leaderboard.height([short, short])


def test_the_legend_of_curves_tells_each_kind_of_line_once():
    """Though the first history, that of a final training, has no validation."""
    final = {"seed": 1, "curve": [{"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": 0.5}]}
    fold = {"seed": 0, "fold": 1, "curve": [{"epoch": 1, "train_loss": 1.0, "val_loss": 0.9}]}
    _, axes = plots.plt.subplots()
    plot_curves.draw(axes, [final, fold, fold], "loss", plot_curves.Spec())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    plots.plt.close("all")


def test_a_long_title_stays_inside_its_figure():
    plots.start(72)
    figure = plots.plt.figure(figsize=(4, 3))
    plots.heading(figure, "A data set with a name that is far too long for one line of $4", "told")
    figure.canvas.draw()
    assert figure._suptitle.get_window_extent().x1 <= 4 * 72
    plots.plt.close(figure)


def test_a_title_is_said_once():
    def joined(title, own):
        return plots.titled(title, {"title": np.array(own)})

    assert joined("CIFAR-10", "CIFAR-10: CNN") == "CIFAR-10: CNN"
    assert joined("Digits (stand-in)", "MLP on Digits") == "MLP on Digits (stand-in)"
    assert joined("CIFAR-10", "CNN") == "CIFAR-10: CNN"


def test_what_an_evaluation_says_of_a_text_stands_beside_its_samples():
    """As with the least bits per byte that any model needs for the grammar's stories."""
    told = {"data": "no model needs fewer than 0.1234 bits per byte"}
    records = [
        {"rows": [{"dataset": "grammar_stories"}], "notes": told},
        {"rows": [{"dataset": "tinyshakespeare"}], "notes": {"data": 7}},
        {"rows": [], "notes": None},
    ]
    assert data_notes(records) == {"grammar_stories": told["data"]}


def test_the_costs_of_the_workflow_tell_wall_and_cpu_time_and_what_was_not_kept(tmp_path):
    path = tmp_path / "dag_cost.csv"
    path.write_text(COST)
    lines = cost.markdown(cost.read(path))
    kept = " | `bbe457c` |"
    assert lines[2:5] == [
        "| plan 10,000 CV jobs | 10,021 | 71.06 s | 41.51 s | 702 MB | 60 s, 2 GB | yes" + kept,
        "| dry run of full | 2,400 | 9.50 s | 4.25 s | 150 MB | 4 s | **no**" + kept,
        "| overhead of standard | 210 | 41.50 s (2.1 % of the run) |  |  | 5 % | yes" + kept,
    ]
    assert "2 cores, AMD EPYC, Snakemake 9.9.0" in lines[-1]
    assert "packed" in lines[-1]
    assert "packed" not in cost.markdown(cost.read(path)[:2])[-1]
    path.write_text("what,seconds\na,1\n")
    with pytest.raises(InputError, match="jobs, cpu_seconds, .*make bench-dag"):
        cost.read(path)


def test_what_a_benchmark_of_the_workflow_left_out_is_kept_from_an_earlier_one(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(COST)
    kept = dag_cost.kept_rows(path, [{"what": "dry run of standard"}], "standard")
    assert [row["what"] for row in kept] == ["overhead of standard"]
    assert dag_cost.kept_rows(path, kept, "standard") == []
    # The no-op of one preset is not that of another.
    path.write_text(COST + COST.splitlines()[-1].replace("overhead of standard", "no-op make run"))
    assert [r["what"] for r in dag_cost.kept_rows(path, kept, "standard")] == ["no-op make run"]
    assert dag_cost.kept_rows(path, [], "demo") == []


def test_the_benchmark_s_columns_are_those_that_the_table_needs():
    assert set(cost.NEEDED) <= set(dag_cost.COLUMNS)


def test_pinned_and_free_kernels_are_told_apart(tmp_path):
    path = tmp_path / "mlp_step.csv"
    path.write_text(SPEED)
    rows = speed.read(path)
    assert "kernels" not in "".join(speed.markdown(rows))
    named = speed.markdown([{**row, "blas_kernel": "Zen, chosen by OpenBLAS"} for row in rows])
    assert "OpenBLAS kernels: Zen, chosen by OpenBLAS" in named[-1] and "| Zen" not in named[2]
    both = [{**row, "blas_kernel": kernel} for kernel in ("Haswell", "free") for row in rows]
    lines = speed.markdown(both)
    assert [line.split(" | ")[1] for line in lines[2:6]] == ["Haswell", "Haswell", "free", "free"]
    assert "OPENBLAS_CORETYPE" in lines[-1]
    path.write_text("peer,ours_ms\na,1\n")
    with pytest.raises(InputError, match="batch_size, peer_ms, ratio"):
        speed.read(path)


def test_a_note_names_no_setting_that_was_not_set():
    note = "of 100 stories by the first way, temperature=1.0 top_k=None top_p=None"
    assert way(note) == "of 100 stories by the first way, temperature 1.0"
    assert way("temperature=0.7 top_k=40 top_p=None") == "temperature 0.7 top-k 40"
    assert way("none chosen by hand") == "none chosen by hand"


def test_what_all_evaluations_of_a_room_note_is_said_once():
    records = [
        {"rows": [{"model": "a"}], "notes": {"interval": "Wilson's", "seeds": 3}},
        {"rows": [{"model": "b"}], "notes": {"interval": "Wilson's", "seeds": 5}},
    ]
    assert notes(records) == [
        ("interval", "Wilson's", []),
        ("seeds", 3, ["a"]),
        ("seeds", 5, ["b"]),
    ]


def test_trainings_of_folds_have_a_line_of_their_own(finished):
    found = trainings([json.loads(path.read_text()) for path in finished.files["histories"]])
    name = "MLP 2388-1024-1024-10 on pixels + HOG"
    told = {(line["model"], line["trainings"]) for line in found if line["model"] == name}
    assert told == {(name, "seeds 1, 2, 3"), (name, "folds 0, 1")}


def test_a_narrow_screen_stacks_tables_of_words_and_scrolls_the_others(finished):
    text = (finished.folder / "report.html").read_text()
    tables = text.count("<table")
    assert text.count('<div class="scroll"><table') == tables
    style, body = text.split("</style>")
    assert "@media (max-width: 40rem)" in style and ".stack td[data-label]::before" in style
    for table in re.findall(r'<table[^>]*class="stack".*?</table>', body, re.S):
        for row in re.findall(r"<tr(?! class=\"group)[^>]*>(.*?)</tr>", table, re.S)[1:]:
            # All but the first cells (what the row is about) and a closing mark say what they are.
            bare = [cell for cell in re.findall(r"<td([^>]*)>", row) if "data-label" not in cell]
            assert len(bare) <= 3, row


def test_each_caption_stands_once(finished):
    text = (finished.folder / "report.html").read_text()
    for room in text.split("<section>")[1:]:
        notes = re.findall(r'<p class="note">(.*?)</p>', room, re.S)
        assert len(notes) == len(set(notes))
    assert "<figcaption" not in text and text.count("Three splits, three columns") == 1


def test_part_one_explains_its_words_and_others_do_not(finished):
    text = (finished.folder / "report.html").read_text()
    text = re.sub(r"base64,[\w+/=]+", "", text)
    rooms = dict(re.findall(r'<section>\n<h2 id="(\w+)">(.*?)</section>', text, re.S))
    for word in (
        "HOG",
        "Mixer",
        "flips at test time",
        "shifts at test time",
        "ensemble of folds",
        "ensemble of several models",
        "Successive halving",
    ):
        assert word in rooms["mlp"], word
        assert word not in rooms["seq2seq"], word
    assert "<dt>HOG" not in rooms["vision"]
    assert "<dt>Pyramid" not in rooms["mlp"], "it has none"


def of_this_run(**changed) -> dict:
    given = {"ci": None, **changed}
    return {**metrics_row(**given), "source": "this run", "run": "x", "config_sha256": ""}


def test_the_headline_is_chosen_by_validation_and_never_mixes_splits():
    rows = [
        of_this_run(split="cv", values=[0.99]),
        of_this_run(),
        of_this_run(model="no validation, better on test", values=[0.94]),
        of_this_run(model="other", split="cv", values=[0.98]),
        of_this_run(model="other", values=[0.93]),
    ]
    told = {"dataset": "fashion_mnist", "metric": "accuracy", "protocol": "", "model": "m"}
    references = [
        {**told, "split": "test", "value": 0.95, "comparable": True},
        {**told, "split": "test", "value": 0.96, "comparable": False},
        {**told, "split": "cv", "value": 0.97, "comparable": True},
    ]
    (entry,) = headline(rows, references, ["fashion_mnist", "absent"])
    assert entry["best"]["split"] == "test" and entry["best"]["value"] == rows[1]["value"]
    assert (entry["chosen_by"], entry["among"]) == ("cv", 3)
    assert entry["published"]["value"] == 0.95 and entry["published"]["standing"] == "behind"
    held = {**entry["best"], "ci_low": 0.90, "ci_high": 0.96}
    assert standing(held, {"value": 0.95}) == "within our interval"
    assert standing(held, {"value": 0.89}) == "ahead"
    loss = of_this_run(metric="bits_per_byte", values=[1.0])
    assert [standing(loss, {"value": value}) for value in (0.9, 1.1)] == ["behind", "ahead"]


@pytest.mark.parametrize(
    "aside",
    [
        *({"views": views} for views in ("flips", "flips and shifts", "shifts", "both strands")),
        *({"members": "3 seeds"}, {"subset": "not in train"}),
    ],
)
def test_flips_ensembles_and_parts_of_the_test_set_are_no_headline(aside):
    rows = [
        of_this_run(model=model, split=split, values=[value], **columns)
        for model, value, columns in (("MLP", 0.5, {}), ("CNN", 0.8, {}), ("CNN", 0.9, aside))
        for split in ("val", "test")
    ]
    (entry,) = headline(rows, [], ["fashion_mnist"])
    assert (entry["best"]["label"], entry["best"]["value"]) == ("CNN", 0.8)
    assert (entry["chosen_by"], entry["among"]) == ("val", 2)


def test_a_model_that_only_reads_several_views_is_shown_without_a_published_result():
    rows = [
        of_this_run(views="both strands", split=split, values=[0.9]) for split in ("val", "test")
    ]
    told = {"dataset": "fashion_mnist", "metric": "accuracy", "split": "test", "comparable": True}
    references = [{**told, "value": 0.95, "model": "other", "source": "s"}]
    (entry,) = headline(rows, references, ["fashion_mnist"])
    assert (entry["best"]["value"], entry["published"]) == (0.9, None)
    (line,) = markdown_table(rows, {"s": {"citation": "Someone (2020)"}}, references)[2:]
    assert "| 0.9000 (1 seed) |  | 0.9000 + both strands |" in line and "0.95" not in line


def test_lower_is_better_for_a_loss_and_without_validation_no_test_value_chooses():
    rows = [
        of_this_run(model=model, metric="bits_per_byte", split=split, values=[value])
        for model, values in (("a", (1.0, 0.8)), ("b", (0.9, 0.85)))
        for split, value in zip(("val", "test"), values, strict=True)
    ]
    (entry,) = headline(rows, [], ["fashion_mnist"])
    assert entry["best"]["model"] == "b"
    tested = [row for row in rows if row["split"] == "test"]
    tested[0]["value"] = 2.0
    (entry,) = headline(tested, [], ["fashion_mnist"])
    assert (entry["best"]["model"], entry["chosen_by"]) == ("a", None)


def test_the_table_quotes_only_what_compares():
    rows = [of_this_run(model="CNN", views=views, values=[0.9]) for views in ("none", "flips")]
    told = {"dataset": "fashion_mnist", "metric": "accuracy", "split": "test", "source": "s"}
    references = [
        {**told, "model": "fair", "value": 0.95, "comparable": True},
        {**told, "model": "unfair", "value": 0.99, "comparable": False},
    ]
    rows += [
        of_this_run(model=f"Ensemble of {what}", members="1 seed + 1 seed", values=[0.95])
        for what in ("a and b", "b and c")
    ]
    sources = {"s": {"citation": "Someone (2020), Somewhere"}}
    lines = markdown_table(rows, sources, references)
    single, *mixes = lines[2:]
    assert single.endswith("| 0.9500, fair; Someone (2020) |")
    assert len(mixes) == 2 and all(line.endswith("|  |") for line in mixes)
    assert "unfair" not in "".join(lines)


def test_the_readme_s_table_lets_no_ensemble_or_flip_compete(finished):
    rows = read_leaderboard(finished.folder / "leaderboard.csv")
    lines = markdown_table(
        rows, *read_references(finished.repository / "config" / "references.yaml")
    )
    head, _, *body = ([cell.strip() for cell in line.split(" | ")] for line in lines)
    at = {name: head.index(name) for name in ("training", "validation", "test", "test, more views")}
    (mixer,) = (cells for cells in body if cells[1].startswith("Mixer"))
    assert mixer[at["training"]] == "0.9910 ± 0.0010"
    assert mixer[at["validation"]] == "0.9350 ± 0.0071 (2 folds)"
    assert mixer[at["test"]] == "**0.9416** ± 0.0017 (3 seeds)<br>0.9355 – 0.9475"
    views = "0.9436 ± 0.0017 + flips<br>0.9446 ± 0.0017 + flips and shifts"
    assert mixer[at["test, more views"]] == views
    folds = "0.9490 (5 folds)<br>0.9505 + flips<br>0.9510 + flips and shifts"
    assert mixer[head.index("ensemble, test")] == folds
    (mix,) = (cells for cells in body if cells[1].startswith("*Ensemble of searched"))
    assert (mix[at["test"]], mix[at["test, more views"]]) == ("", "")
    assert mix[head.index("ensemble, test")] == "0.9470 (5 folds + 1 seed)"
    assert mix[at["validation"]] == "0.9444 (1 fold, by one net of each kind)"
    assert "**" not in " ".join(mix)
    assert not any("5 folds" in cells[1] for cells in body)
    assert mixer[head.index("cost of a training")] == "61 s<br>19.3 TFLOP"
    # The best published result stands once a data set.
    assert sum("WRN-40-4" in line for line in lines) == 1


def test_numbers_as_people_read_them():
    assert [weights(n) for n in (None, 850, 7850, 535818, 10650000)] == [
        "", "850", "7.85 k", "536 k", "10.7 M",
    ]  # fmt: skip
    assert [seconds(s) for s in (None, 4.23, 61.2, 200, 7500)] == [
        "", "4.2 s", "61 s", "3 min 20 s", "2 h 5 min",
    ]  # fmt: skip
    assert [flops(n) for n in (None, 1e6, 4e13, 2.196e14, 9.996e14, 1.234e18, 5e24)] == [
        "", "1.00 MFLOP", "40.0 TFLOP", "220 TFLOP", "1.00 PFLOP", "1.23 EFLOP", "5.00e+03 ZFLOP",
    ]  # fmt: skip


def test_reference_results_and_the_table_of_the_readme(finished, tmp_path, monkeypatch):
    out = tmp_path / "reference"
    published = ["--references", str(finished.repository / "config" / "references.yaml")]
    timed = tmp_path / "mlp_step.csv"
    words = ["collect_reference", "--run", str(finished.folder), "--out", str(out), *published]
    words += ["--speed", str(timed), "--dag", str(tmp_path / "dag_cost.csv")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(InputError, match="no job times"):
        collect_reference.main()
    for name, took in {"train_gpt/a": 90, "train_gpt/b": 60, "build_report": 3}.items():
        path = finished.folder / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\tmax_rss\tcpu_time\n{took}\tNA\t{took / 2}\n")
    log = finished.folder / "logs" / "train_gpt" / "b.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("model.npz: already trained by this recipe: kept\n")
    collect_reference.main()
    assert "train_gpt,1,90.0,45.0,90.0,0,1" in (out / "jobs.csv").read_text()
    log.unlink()
    collect_reference.main()
    assert not (out / "mlp_step.csv").exists()
    assert not (out / "dag_cost.csv").exists()
    timed.write_text(SPEED)
    (tmp_path / "dag_cost.csv").write_text("what\n")
    with pytest.raises(InputError, match="make bench-dag"):
        collect_reference.main()
    assert (out / "jobs.csv").exists()  # What was there is not touched then.
    (tmp_path / "dag_cost.csv").write_text(COST)
    collect_reference.main()  # A second time over the first.
    assert (out / "mlp_step.csv").read_text() == SPEED and "**0.762**" in (
        out / "README.md"
    ).read_text()
    assert (out / "mlp" / "search" / "rung1" / "ranking.json").exists()
    assert (out / "accuracy_by_split.csv").exists()
    assert (out / "dag_cost.csv").read_text() == COST
    assert "| dry run of full | 2,400 |" in (out / "README.md").read_text()
    assert (out / "jobs.csv").read_text().splitlines() == [
        "rule,jobs,seconds,cpu_seconds,longest_seconds,max_rss_mb,kept",
        "train_gpt,2,150.0,75.0,90.0,0,0",
        "build_report,1,3.0,1.5,3.0,0,0",
    ]
    assert "3 jobs, one core each, took 2.5 minutes in all" in (out / "README.md").read_text()
    assert (out / "report.html").exists() and (out / "mlp" / "selection.json").exists()
    assert not list(out.rglob("*.npz")) and not list(out.rglob("predictions.csv"))
    assert "**0.9016**" in (out / "README.md").read_text()
    whole = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    timed.write_text(SPEED.replace("0.76", "0.66"))
    (tmp_path / "dag_cost.csv").unlink()
    monkeypatch.setattr(sys, "argv", [word for word in words if word not in words[1:3]])
    collect_reference.main()  # Without a run: new benchmarks alone, and the page that shows them.
    changed = {p.name for p, old in whole.items() if p.read_bytes() != old}
    assert changed == {"mlp_step.csv", "README.md"}
    assert "**0.662**" in (out / "README.md").read_text()
    timed.write_text(SPEED)
    collect_reference.main()
    assert {path: path.read_bytes() for path in whole} == whole
    monkeypatch.setattr(sys, "argv", [*words, "--no-benchmarks"])
    collect_reference.main()
    assert not (out / "mlp_step.csv").exists()
    assert "A training step of Part 1" not in (out / "README.md").read_text()
    left = finished.folder / "former" / "metrics.json"  # Of another configuration.
    left.parent.mkdir()
    left.write_text("{}")
    collect_reference.main()
    assert (out / "former" / "metrics.json").exists()
    outputs = [{"path": name} for name in ("leaderboard.csv", "report.html", "mlp/selection.json")]
    (finished.folder / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    collect_reference.main()
    copied = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert copied == {entry["path"] for entry in outputs} | {
        *("manifest.json", "jobs.csv", "README.md"),
    }
    (finished.folder / "manifest.json").unlink()
    shutil.rmtree(left.parent)
    (tmp_path / "dag_cost.csv").write_text(COST)
    monkeypatch.setattr(sys, "argv", words)
    collect_reference.main()
    assert {path: path.read_bytes() for path in whole} == whole
    monkeypatch.setattr(sys, "argv", [word for word in words if word not in words[1:3]])
    (out / "leaderboard.csv").rename(tmp_path / "aside.csv")
    with pytest.raises(InputError, match="name a finished run with --run"):
        collect_reference.main()
    (tmp_path / "aside.csv").rename(out / "leaderboard.csv")

    readme, board = tmp_path / "README.md", out / "leaderboard.csv"
    old = {name: "\nold\n".join(update_readme.markers(name)) for name in TABLES}
    text = "before\n" + "\nbetween\n".join(old.values()) + "\nafter\n"
    readme.write_text(text)
    words = ["update_readme", "--readme", str(readme), "--leaderboard", str(board), *published]
    words += ["--ensemble", str(tmp_path / "other" / "leaderboard.csv")]
    monkeypatch.setattr(sys, "argv", [*words, "--check"])
    with pytest.raises(InputError, match="make readme"):
        update_readme.main()
    assert readme.read_text() == text
    monkeypatch.setattr(sys, "argv", words)
    update_readme.main()
    filled = readme.read_text()
    assert (
        filled.startswith("before\n") and filled.endswith("\nafter\n") and "\nold\n" not in filled
    )
    assert "\nbetween\n" in filled and "| MLP 784-512-256-10 (numpy) | pixels |" in filled
    assert "| **0.762** | 83 % |" in filled and "between 0.762 and 0.820" in filled
    assert "\n| plan 10,000 CV jobs | 10,021 | 71.06 s | 41.51 s | 702 MB |" in filled
    assert "Not run yet: `make run PRESET=ensemble`" in filled
    shutil.copytree(out, tmp_path / "other")
    update_readme.main()
    filled = readme.read_text()
    assert "Not run yet" not in filled and filled.count("| MLP 784-512-256-10 (numpy) |") == 2
    monkeypatch.setattr(sys, "argv", [*words, "--check"])
    update_readme.main()

    for name in ("mlp_step.csv", "dag_cost.csv"):
        (out / name).rename(tmp_path / "kept")
        with pytest.raises(InputError, match="make readme"):
            update_readme.main()
        (tmp_path / "kept").rename(out / name)
    (out / "mlp_step.csv").unlink()
    (out / "dag_cost.csv").unlink()
    monkeypatch.setattr(sys, "argv", words)
    update_readme.main()
    filled = readme.read_text()
    assert "Not measured yet: `make bench-mlp`" in filled
    assert "Not measured yet: `make bench-dag PRESET=standard`" in filled
    assert "10,000 CV jobs" not in filled
    some = ""
    for name, missing in itertools.pairwise(TABLES):
        some += old[name]
        readme.write_text(some)
        with pytest.raises(InputError, match=f"{missing}:begin"):
            update_readme.main()
    shutil.rmtree(out / "mlp")
    (out / "leaderboard.csv").unlink()
    with pytest.raises(InputError, match="make reference"):
        update_readme.main()


def test_the_committed_readme_shows_the_committed_reference(repository):
    done = subprocess.run(
        [sys.executable, "-m", "reporting.update_readme", "--check"],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_every_metric_has_a_place_among_the_ranges():
    assert all(metric.low < metric.high and metric.title for metric in METRICS.values())
