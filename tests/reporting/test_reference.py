"""The committed reference results and the tables of README.md that are made from them."""

import itertools
import json
import shutil
import sys
from pathlib import Path

import dag_cost
import pytest
import side_by_side
from forks import python

from manifest.verify import REFERENCE_FILES
from pipeline.errors import InputError
from reporting import collect_reference, update_readme
from reporting.leaderboard import read_leaderboard, read_references
from reporting.tables import BENCHMARKS, NEEDED, markdown, markdown_table

SPEEDS = """work,peer,ours,theirs,ratio,unit,processor,threads,versions,commit
"a step, batch 32",PyTorch,15810.0,10010.0,1.594,examples/s,AMD EPYC,1,torch 2.14.1,bbe457c53e28
an epoch,scikit-learn,96.5,7.25,13.31,examples/s,AMD EPYC,1,torch 2.14.1,bbe457c53e28
"""
CNN_SPEEDS = """work,peer,ours,theirs,ratio,unit,processor,threads,versions,commit
a step,resnet18,71830000000.0,69330000000.0,1.023,FLOP/s,AMD EPYC,1,torch 2.14.1,0123456789ab
a step,the peak,71830000000.0,84330000000.0,0.852,FLOP/s,AMD EPYC,1,torch 2.14.1,0123456789ab
"""
COSTS = """what,jobs,seconds,cpu_seconds,peak_mb,share,limit,within,cores,commit,processor,snakemake
"plan 10,000 CV jobs",10021,71.06,41.514,702,,"60 s, 2 GB",True,2,bbe457c53e28,AMD EPYC,9.9.0
dry run of full,2400,9.5,4.25,150,,4 s,False,2,bbe457c53e28,AMD EPYC,9.9.0
overhead of standard,210,41.5,,,0.0213,5 %,True,2,bbe457c53e28,AMD EPYC,9.9.0
"""
# The tables of README.md, out of date.
OLD = {
    name: "\nold\n".join(update_readme.markers(name))
    for name in ("results", "ensemble", "speed", "cost")
}


def test_the_costs_of_the_workflow_tell_wall_and_cpu_time_and_what_was_not_kept(tmp_path):
    path = tmp_path / "dag_cost.csv"
    path.write_text(COSTS)
    lines = markdown("cost", tmp_path).splitlines()
    kept = " | `bbe457c` |"
    assert lines[2:5] == [
        "| plan 10,000 CV jobs | 10,021 | 71.06 s | 41.51 s | 702 MB | 60 s, 2 GB | yes" + kept,
        "| dry run of full | 2,400 | 9.50 s | 4.25 s | 150 MB | 4 s | **no**" + kept,
        "| overhead of standard | 210 | 41.50 s (2.1 % of the run) |  |  | 5 % | yes" + kept,
    ]
    assert "2 cores, AMD EPYC, Snakemake 9.9.0" in lines[-1]
    assert "packed" in lines[-1]
    path.write_text(COSTS[: COSTS.index("overhead")])
    assert "packed" not in markdown("cost", tmp_path)
    path.write_text("what,seconds\na,1\n")
    with pytest.raises(InputError, match="jobs, cpu_seconds, .*make bench-dag"):
        markdown("cost", tmp_path)


def test_what_a_benchmark_of_the_workflow_left_out_is_kept_from_an_earlier_one(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(COSTS)
    kept = dag_cost.kept_rows(path, [{"what": "dry run of standard"}], "standard")
    assert [row["what"] for row in kept] == ["overhead of standard"]
    assert dag_cost.kept_rows(path, kept, "standard") == []
    # The no-op of one preset is not that of another.
    path.write_text(
        COSTS + COSTS.splitlines()[-1].replace("overhead of standard", "no-op make run")
    )
    assert [r["what"] for r in dag_cost.kept_rows(path, kept, "standard")] == ["no-op make run"]
    assert dag_cost.kept_rows(path, [], "demo") == []


def test_the_benchmarks_columns_are_those_that_the_tables_need():
    assert set(NEEDED["cost"]) <= set(dag_cost.COLUMNS)
    assert set(NEEDED["speed"]) == set(side_by_side.COLUMNS)


def test_every_benchmark_has_a_table_and_belongs_to_the_reference(repository):
    files = {path.stem for path in (repository / "benchmarks").glob("*.py")}
    tables = {Path(name).stem for name in BENCHMARKS}
    assert files - {"side_by_side", "packing"} <= tables
    assert set(BENCHMARKS) <= REFERENCE_FILES


def test_a_speed_is_told_beside_the_peer_s_with_what_measured_it(tmp_path):
    assert markdown("speed", tmp_path) == ""
    (tmp_path / "mlp_step.csv").write_text(SPEEDS)
    (tmp_path / "cnn_speed.csv").write_text(CNN_SPEEDS)
    *lines, about = markdown("speed", tmp_path).splitlines()
    assert lines[2:] == [
        "| MLP in NumPy | a step, batch 32 | PyTorch | 15,810 examples/s | 10,010 examples/s |"
        " **1.59** |",
        "|  | an epoch | scikit-learn | 96.5 examples/s | 7.25 examples/s | **13.31** |",
        "| CNN | a step | resnet18 | 71.8 GFLOP/s | 69.3 GFLOP/s | **1.02** |",
        "|  |  | the peak | 71.8 GFLOP/s | 84.3 GFLOP/s | **0.85** |",
        "",
    ]
    assert "on AMD EPYC with torch 2.14.1, at commit bbe457c53e28, 0123456789ab." in about
    (tmp_path / "cnn_speed.csv").write_text("work,peer,ours\n")
    with pytest.raises(InputError, match="cnn_speed.csv: no theirs, ratio, .*make bench-speed"):
        markdown("speed", tmp_path)


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


class Kept:
    """The fabricated run with its job times, and a folder that collect_reference fills from it."""

    def __init__(self, finished, folder: Path, patch: pytest.MonkeyPatch):
        self.run, self.out, self.patch = folder / "made-up", folder / "reference", patch
        self.benchmarks = folder / "benchmarks"
        self.speed, self.dag = (self.benchmarks / name for name in ("mlp_step.csv", "dag_cost.csv"))
        self.references = str(finished.repository / "config" / "references.yaml")
        shutil.copytree(finished.folder, self.run)

    def write_times(self) -> None:
        for name, took in {"train_gpt/a": 90, "train_gpt/b": 60, "build_report": 3}.items():
            path = self.run / "benchmarks" / f"{name}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"s\tmax_rss\tcpu_time\n{took}\tNA\t{took / 2}\n")

    def write_benchmarks(self) -> None:
        self.benchmarks.mkdir(exist_ok=True)
        self.speed.write_text(SPEEDS)
        self.dag.write_text(COSTS)

    def collect(self, *more: str, run: bool = True) -> str:
        """Run collect_reference; returns the README that it wrote."""
        words = ["collect_reference", "--out", str(self.out), "--references", self.references]
        words += ["--benchmarks", str(self.benchmarks), *more]
        words += ["--run", str(self.run)] if run else []
        self.patch.setattr(sys, "argv", words)
        collect_reference.main()
        return (self.out / "README.md").read_text()

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self.out.rglob("*") if path.is_file())
        return {path.relative_to(self.out).as_posix(): path.read_bytes() for path in paths}

    def fill(self, readme: Path, *more: str) -> str:
        """Run update_readme; returns the page."""
        words = ["update_readme", "--readme", str(readme), "--references", self.references]
        words += ["--leaderboard", str(self.out / "leaderboard.csv")]
        words += ["--ensemble", str(self.out.with_name("other") / "leaderboard.csv"), *more]
        self.patch.setattr(sys, "argv", words)
        update_readme.main()
        return readme.read_text()


@pytest.fixture
def kept(finished, tmp_path, monkeypatch) -> Kept:
    kept = Kept(finished, tmp_path, monkeypatch)
    kept.write_times()
    return kept


def test_a_run_without_job_times_is_not_copied(finished, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no job times"):
        Kept(finished, tmp_path, monkeypatch).collect()


def test_the_small_files_of_a_run_are_copied_with_its_times_and_benchmarks(kept):
    kept.write_benchmarks()
    page = kept.collect()
    assert kept.collect() == page  # A second time over the first.
    files = kept.files()
    assert {"report.html", "mlp/selection.json", "mlp/search/rung1/ranking.json"} <= set(files)
    assert {"accuracy_by_split.csv", "leaderboard.csv"} <= set(files)
    assert not any(name.endswith((".npz", "predictions.csv")) for name in files)
    assert files["mlp_step.csv"].decode() == SPEEDS and files["dag_cost.csv"].decode() == COSTS
    assert files["jobs.csv"].decode().splitlines() == [
        "rule,jobs,seconds,cpu_seconds,longest_seconds,max_rss_mb,kept",
        "train_gpt,2,150.0,75.0,90.0,0,0",
        "build_report,1,3.0,1.5,3.0,0,0",
    ]
    assert "**0.9016**" in page and "3 jobs, one core each, took 2.5 minutes in all" in page
    assert "**1.59**" in page and "| dry run of full | 2,400 |" in page


def test_a_training_that_was_kept_is_no_time(kept):
    log = kept.run / "logs" / "train_gpt" / "b.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("model.npz: already trained by this recipe: kept\n")
    assert "does not include 1 trainings of a search" in kept.collect()
    assert "train_gpt,1,90.0,45.0,90.0,0,1" in kept.files()["jobs.csv"].decode()


def test_benchmarks_are_copied_if_there_are_any_and_are_whole(kept):
    assert "How fast it is" not in kept.collect()
    assert not {"mlp_step.csv", "dag_cost.csv"} & set(kept.files())
    before = kept.files()
    kept.write_benchmarks()
    kept.dag.write_text("what\n")
    with pytest.raises(InputError, match="make bench-dag"):
        kept.collect()
    assert kept.files() == before
    kept.write_benchmarks()
    assert "How fast it is" not in kept.collect("--no-benchmarks")
    assert "mlp_step.csv" not in kept.files()


def test_without_a_run_benchmarks_alone_are_copied(kept):
    kept.write_benchmarks()
    kept.collect()
    before = kept.files()
    kept.speed.write_text(SPEEDS.replace("1.594", "1.404"))
    kept.dag.unlink()
    assert "**1.40**" in kept.collect(run=False)
    changed = {name for name, content in kept.files().items() if content != before[name]}
    assert changed == {"mlp_step.csv", "README.md"}
    kept.speed.write_text(SPEEDS)
    kept.collect(run=False)
    assert kept.files() == before
    (kept.out / "leaderboard.csv").unlink()
    with pytest.raises(InputError, match="name a finished run with --run"):
        kept.collect(run=False)


def test_a_manifest_says_what_belongs_to_the_run_and_what_was_rebuilt(kept):
    left = kept.run / "former" / "metrics.json"  # Of another configuration.
    left.parent.mkdir()
    left.write_text("{}")
    kept.collect()
    assert "former/metrics.json" in kept.files()
    names = {"leaderboard.csv", "report.html", "mlp/selection.json"}
    manifest = {"outputs": [{"path": name} for name in sorted(names)]}
    (kept.run / "manifest.json").write_text(json.dumps(manifest))
    assert "manifest.json" not in kept.collect()
    assert set(kept.files()) == names | {"manifest.json", "jobs.csv", "README.md"}
    manifest["rebuilt"] = {"note": "The report was rebuilt.", "files": []}
    (kept.run / "manifest.json").write_text(json.dumps(manifest))
    assert "The report was rebuilt. [manifest.json](manifest.json) lists" in kept.collect()


@pytest.fixture
def readme(tmp_path) -> Path:
    path = tmp_path / "README.md"
    path.write_text("before\n" + "\nbetween\n".join(OLD.values()) + "\nafter\n")
    return path


def test_the_tables_of_the_readme_are_filled_and_all_else_stays(kept, readme):
    kept.write_benchmarks()
    kept.collect()
    text = readme.read_text()
    with pytest.raises(InputError, match="make readme"):
        kept.fill(readme, "--check")
    assert readme.read_text() == text
    filled = kept.fill(readme)
    assert filled.startswith("before\n") and filled.endswith("\nafter\n")
    assert "\nold\n" not in filled and "\nbetween\n" in filled
    assert "| MLP 784-512-256-10 (numpy) | pixels |" in filled
    assert "| 10,010 examples/s | **1.59** |" in filled
    assert "\n| plan 10,000 CV jobs | 10,021 | 71.06 s | 41.51 s | 702 MB |" in filled
    assert "Not run yet: `make run PRESET=ensemble`" in filled
    shutil.copytree(kept.out, kept.out.with_name("other"))
    filled = kept.fill(readme)
    assert "Not run yet" not in filled and filled.count("| MLP 784-512-256-10 (numpy) |") == 2
    assert kept.fill(readme, "--check") == filled


def test_the_readme_says_what_was_not_measured(kept, readme):
    kept.write_benchmarks()
    kept.collect()
    kept.fill(readme)
    for name in ("mlp_step.csv", "dag_cost.csv"):
        (kept.out / name).unlink()
        with pytest.raises(InputError, match="make readme"):
            kept.fill(readme, "--check")
    filled = kept.fill(readme)
    assert "Not measured yet: `make bench-speed`" in filled
    assert "Not measured yet: `make bench-dag PRESET=standard`" in filled
    assert "10,000 CV jobs" not in filled


def test_a_readme_without_markers_and_a_missing_leaderboard_are_named(kept, readme):
    kept.collect()
    some = ""
    for name, missing in itertools.pairwise(OLD):
        some += OLD[name]
        readme.write_text(some)
        with pytest.raises(InputError, match=f"{missing}:begin"):
            kept.fill(readme)
    (kept.out / "leaderboard.csv").unlink()
    with pytest.raises(InputError, match="make reference"):
        kept.fill(readme)


def test_the_committed_readme_shows_the_committed_reference(repository):
    done = python("-m", "reporting.update_readme", "--check", cwd=repository)
    assert done.returncode == 0, done.stderr
