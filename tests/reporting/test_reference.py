"""The committed reference results, and the tables of README.md and docs/results.md made of them."""

import itertools
import json
import shutil
import sys
from pathlib import Path

import build_reference
import dag_cost
import pytest
import side_by_side

from manifest import verify
from manifest.stable import results, stable_sha256
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from reporting import collect_reference, reference, update_readme
from reporting.leaderboard import read_leaderboard, read_references
from reporting.tables import BENCHMARKS, FRONT, NEEDED, markdown, markdown_table

pytestmark = pytest.mark.slow

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
# The tables of docs/results.md and of README.md, out of date.
OLD = {name: "\nold\n".join(update_readme.markers(name)) for name in ("results", "speed", "cost")}
OLD_SUMMARY = "\nold\n".join(update_readme.markers("summary"))


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
    assert set(NEEDED["speed"]) <= set(side_by_side.COLUMNS)


def test_every_benchmark_has_a_table_and_belongs_to_the_reference(repository):
    files = {path.stem for path in (repository / "benchmarks").glob("*.py")}
    tables = {Path(name).stem for name in BENCHMARKS}
    assert files - {"check_gpu", "live_page", "packing", "side_by_side"} <= tables
    assert set(BENCHMARKS) <= verify.REFERENCE_FILES


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


def test_the_table_lets_no_ensemble_or_flip_compete(finished):
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
    assert mixer[-1].startswith("made-up<br>`0123456`")
    assert mixer[head.index("cost of a training")] == "61 s<br>19.3 TFLOP"
    # The best published result stands once a data set.
    assert sum("WRN-40-4" in line for line in lines) == 1


ENDS = dict.fromkeys(("mlp", "vision", "gpt", "dna", "seq2seq"), "2026-01-01T00:00:00+00:00")


class Kept:
    """Finished runs with their manifests and job times, and a folder that is filled from them."""

    def __init__(self, finished, folder: Path, patch: pytest.MonkeyPatch):
        self.results, self.patch, self.made_up = folder / "results", patch, finished.folder
        self.out = self.results / "reference"
        self.benchmarks = folder / "benchmarks"
        self.speed, self.dag = self.benchmarks / "mlp_step.csv", self.benchmarks / "dag_cost.csv"
        config = finished.repository / "config"
        self.references, self.datasets = config / "references.yaml", config / "datasets.yaml"
        patch.chdir(folder)
        self.finish("made-up")

    def finish(self, name: str, ends: dict[str, str] = ENDS, change: tuple = ()) -> Path:
        """A finished run of this name: the fabricated one with the rooms `ends`.

        change: paths to leave out, and pairs (path, text in it, text instead).
        """
        run = self.results / name
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self.made_up, run)
        for one in change:
            if isinstance(one, str):
                shutil.rmtree(run / one)
            else:
                path, old, new = run / one[0], *one[1:]
                assert old in path.read_text()
                path.write_text(path.read_text().replace(old, new))
        names = [n for n in results(run) if any(reference.belongs(n, room) for room in ends)]
        outputs = [
            {
                "path": path,
                "bytes": (run / path).stat().st_size,
                "sha256": file_sha256(run / path),
                "stable_sha256": stable_sha256(run / path),
                "rule": None,
            }
            for path in names
        ]
        jobs = [{"rule": "train_gpt", "outputs": [f"results/{name}/gpt/a/history.json"]}]
        jobs += [{"rule": "extract_hog", "outputs": ["data/processed/a/hog/train.npy"]}]
        jobs += [{"rule": "build_notebook", "outputs": [f"results/{name}/notebooks/part1.ipynb"]}]
        about = {"manifest_version": 1, "run": name, "finished": max(ends.values())}
        about |= {"code": {"commit": "0123456789ab", "dirty": False, "programs": {}}}
        about |= {"config": {"values": {}}, "trained_on": [], "inputs": [], "others": []}
        about |= {"rooms": ends, "outputs": outputs, "jobs": jobs}
        (run / "manifest.json").write_text(json.dumps(about))
        times = {"train_gpt/a": 90, "train_gpt/b": 60, "extract_hog": 9, "build_report": 3}
        times["build_notebook/part1"] = 2
        for job, took in times.items():
            path = run / "benchmarks" / f"{job}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"s\tmax_rss\tcpu_time\n{took}\tNA\t{took / 2}\n")
        return run

    def write_benchmarks(self) -> None:
        self.benchmarks.mkdir(exist_ok=True)
        self.speed.write_text(SPEEDS)
        self.dag.write_text(COSTS)

    def call(self, module, *words: object) -> None:
        self.patch.setattr(sys, "argv", [module.__name__, *map(str, words)])
        module.main()

    def collect(self, *names: str) -> None:
        runs = [self.results / name for name in names]
        words = ["--out", self.out, "--benchmarks", self.benchmarks]
        self.call(collect_reference, *words, "--run", *runs)

    def page(self, *words: str) -> str:
        """Make the page; returns its README."""
        self.call(build_reference, "--out", self.out, *words)
        return (self.out / "README.md").read_text()

    def verify(self, *words: object) -> int:
        with pytest.raises(SystemExit) as ended:
            self.call(verify, "--run", self.out, *words)
        return ended.value.code

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self.out.rglob("*") if path.is_file())
        return {path.relative_to(self.out).as_posix(): path.read_bytes() for path in paths}

    def ours(self) -> dict[str, list[dict]]:
        """Run -> its rows in the joined leaderboard."""
        rows = [row for row in read_leaderboard(self.out / "leaderboard.csv") if row["run"]]
        runs = dict.fromkeys(row["run"] for row in rows)
        return {run: [row for row in rows if row["run"] == run] for run in runs}

    def fill(self, pages: Path, *more: str) -> str:
        """Run update_readme on README.md and docs/results.md of a folder; returns the latter."""
        results = pages / "docs" / "results.md"
        words = ["--readme", pages / "README.md", "--results", results]
        words += ["--references", self.references, "--datasets", self.datasets]
        self.call(update_readme, *words, "--leaderboard", self.out / "leaderboard.csv", *more)
        return results.read_text()


@pytest.fixture
def kept(finished, tmp_path, monkeypatch) -> Kept:
    return Kept(finished, tmp_path, monkeypatch)


def test_a_run_without_job_times_or_manifest_is_not_taken(kept):
    shutil.rmtree(kept.results / "made-up" / "benchmarks")
    with pytest.raises(InputError, match="no job times"):
        kept.collect("made-up")
    (kept.results / "made-up" / "manifest.json").unlink()
    with pytest.raises(InputError, match="no manifest.json: finish the run first"):
        kept.collect("made-up")
    assert not kept.out.exists()


def test_the_small_files_of_a_run_are_taken_with_its_times(kept):
    kept.write_benchmarks()
    kept.collect("made-up")
    files = kept.files()
    names = {"mlp/selection.json", "mlp/search/rung1/ranking.json"}
    names |= {"figures/errors/mlp-plain-predictions.svg", "gpt/tinyshakespeare/numpy/twins.json"}
    assert {f"made-up/{name}" for name in names} <= set(files)
    assert not any(name.endswith((".npz", "predictions.csv")) for name in files)
    assert files["mlp_step.csv"].decode() == SPEEDS and files["dag_cost.csv"].decode() == COSTS
    assert files["jobs.csv"].decode().splitlines() == [
        "run,room,rule,jobs,seconds,cpu_seconds,longest_seconds,max_rss_mb,kept",
        "made-up,gpt,train_gpt,2,150.0,75.0,90.0,0,0",
        "made-up,data,extract_hog,1,9.0,4.5,9.0,0,0",
        "made-up,report,build_report,1,3.0,1.5,3.0,0,0",
        "made-up,report,build_notebook,1,2.0,1.0,2.0,0,0",
    ]
    page = kept.page()
    assert "| made-up | gpt | 2026-01-01 | `0123456` | 2 | 2.5 | 1.2 | 90 s |" in page
    assert "**0.9016**" in page and "**1.59**" in page and "| dry run of full | 2,400 |" in page


def test_a_training_that_was_kept_is_no_time(kept):
    log = kept.results / "made-up" / "logs" / "train_gpt" / "b.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("model.npz: already trained by this recipe: kept\n")
    kept.collect("made-up")
    assert "train_gpt,1,90.0,45.0,90.0,0,1" in kept.files()["jobs.csv"].decode()
    assert "Not counted: 1 trainings of a search" in kept.page()


def test_damaged_benchmarks_leave_the_folder_as_it_is(kept):
    kept.collect("made-up")
    before = kept.files()
    kept.write_benchmarks()
    kept.dag.write_text("what\n")
    with pytest.raises(InputError, match="make bench-dag"):
        kept.collect("made-up")
    assert kept.files() == before
    kept.write_benchmarks()
    kept.collect()
    assert set(kept.files()) - set(before) == {"mlp_step.csv", "dag_cost.csv"}


NEWER = "2026-02-02T00:00:00+00:00"


def test_only_a_room_that_is_newer_takes_the_place_of_what_is_kept(kept, capsys):
    kept.collect("made-up")
    kept.page()
    before = kept.files()
    gpt = [("gpt/tinyshakespeare/metrics.json", '"value": 1.', '"value": 2.')]
    kept.finish("made-up", ENDS, gpt)
    capsys.readouterr()
    kept.collect("made-up")
    assert "nothing new" in capsys.readouterr().out and kept.files() == before
    # gpt again, in a folder that has gpt alone, without one of its two data sets.
    kept.finish("made-up", {"gpt": NEWER}, [*gpt, "gpt/grammar_stories"])
    kept.collect("made-up")
    kept.page()
    after = kept.files()
    changed = {name for name in before if before[name] != after.get(name)}
    rooms = {name for name in changed if name.startswith("made-up/")}
    assert "made-up/gpt/tinyshakespeare/metrics.json" in rooms
    assert "made-up/gpt/grammar_stories/metrics.json" in set(before) - set(after)
    assert all("gpt" in name for name in rooms)
    assert "grammar_stories" not in {row["dataset"] for row in kept.ours()["made-up"]}
    assert "| made-up | gpt | 2026-02-02 |" in kept.page()
    assert "| made-up | mlp | 2026-01-01 |" not in kept.page()  # it has no jobs
    assert kept.verify() == 0


def test_runs_are_joined_and_another_run_s_rows_stay(kept):
    kept.collect("made-up")
    commits = ("mlp/plain/metrics.json", "0123456789ab", "ba9876543210")
    kept.finish("other", ENDS, [commits])
    kept.collect("made-up", "other")
    page = kept.page()
    ours = kept.ours()
    assert set(ours) == {"made-up", "other"}
    assert len(ours["other"]) == len(ours["made-up"])
    plain = [row["commit"] for row in ours["other"] if row["model"].startswith("MLP 784")]
    assert set(plain) == {"ba9876543210"}
    assert "other<br>`ba98765`" in page and "made-up<br>`0123456`" in page
    report = (kept.out / "report.html").read_text()
    assert 'id="mlp-made-up"' in report and 'id="mlp-other"' in report
    assert 'id="model-mlp-plain-other"' in report and "(numpy, other)" in report
    assert kept.verify() == 0
    # Each run is compared with its own part of the folder.
    assert kept.verify("--against", kept.results / "other") == 0
    path = kept.results / "other" / "mlp" / "plain" / "metrics.json"
    path.write_text(path.read_text().replace('"value": 0.9', '"value": 0.8', 1))
    assert kept.verify("--against", kept.results / "other") == 1


def test_a_retired_run_s_model_goes_when_another_run_has_it(kept):
    kept.collect("made-up")
    path = kept.out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["runs"][0]["retired"] = True
    path.write_text(json.dumps(manifest))
    kept.finish("other", {"mlp": ENDS["mlp"]}, ["mlp/mixer"])
    kept.collect("other")
    kept.page()
    models = {row["model"] for row in kept.ours()["made-up"] if row["dataset"] == "fashion_mnist"}
    assert models and all("ixer" in model for model in models)
    assert not (kept.out / "made-up" / "mlp" / "plain" / "metrics.json").exists()
    assert kept.verify() == 0


def test_the_page_is_made_of_what_is_kept_by_the_code_of_today(kept):
    kept.collect("made-up")
    with pytest.raises(InputError, match=r"README.md.*report.html.*make readme"):
        kept.page("--check")
    kept.page()
    before = kept.files()
    kept.page("--check")
    (kept.out / "report.html").write_text("of yesterday")
    with pytest.raises(InputError, match=": report.html: not of today"):
        kept.page("--check")
    kept.page()
    assert kept.files() == before


@pytest.fixture
def pages(tmp_path) -> Path:
    """A folder with README.md and docs/results.md."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(f"before\n{OLD_SUMMARY}\nafter\n")
    text = "before\n" + "\nbetween\n".join(OLD.values()) + "\nafter\n"
    (tmp_path / "docs" / "results.md").write_text(text)
    return tmp_path


def test_the_tables_of_the_pages_are_filled_and_all_else_stays(kept, pages):
    kept.write_benchmarks()
    kept.collect("made-up")
    kept.page()
    readme, results = pages / "README.md", pages / "docs" / "results.md"
    text = results.read_text()
    with pytest.raises(InputError, match="make readme"):
        kept.fill(pages, "--check")
    assert results.read_text() == text
    filled = kept.fill(pages)
    assert filled.startswith("before\n") and filled.endswith("\nafter\n")
    assert "\nold\n" not in filled and "\nbetween\n" in filled
    assert "| MLP 784-512-256-10 (numpy) | pixels |" in filled
    assert "| 10,010 examples/s | **1.59** |" in filled
    assert "\n| plan 10,000 CV jobs | 10,021 | 71.06 s | 41.51 s | 702 MB |" in filled
    assert "[report](../results/reference/report.html)" in filled
    assert kept.fill(pages, "--check") == filled
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    readme.write_text(text.replace("Fashion", "Faschion"))
    with pytest.raises(InputError, match=r"README.md.*make readme"):
        kept.fill(pages, "--check")
    for name in ("mlp_step.csv", "dag_cost.csv"):
        (kept.out / name).unlink()
        with pytest.raises(InputError, match="make readme"):
            kept.fill(pages, "--check")
    filled = kept.fill(pages)
    assert "Not measured yet: `make bench-speed`" in filled
    assert "Not measured yet: `make bench-dag PRESET=standard`" in filled
    assert "10,000 CV jobs" not in filled


def test_the_front_page_has_one_single_model_for_each_data_set(kept, pages):
    kept.collect("made-up")
    kept.page()
    kept.fill(pages)
    lines = [line for line in (pages / "README.md").read_text().splitlines() if "**" in line]
    names = {row["dataset"] for row in kept.ours()["made-up"]} & set(FRONT)
    assert len(lines) == len(names) and not any("nsemble" in line for line in lines)
    (line,) = (line for line in lines if line.startswith("| Fashion-MNIST: accuracy ↑ |"))
    assert ", NumPy, 536 k weights | **" in line
    assert "| behind 0." in line and line.endswith("(2017) |")
    (line,) = (line for line in lines if line.startswith("| tinyshakespeare: nats per token ↓ |"))
    assert "(validation) | behind 1.470, nanoGPT 6x6x384; Karpathy (2022) |" in line


def test_a_page_without_markers_and_a_missing_leaderboard_are_named(kept, pages):
    kept.collect("made-up")
    kept.page()
    page, some = pages / "docs" / "results.md", ""
    for name, missing in itertools.pairwise(OLD):
        some += OLD[name]
        page.write_text(some)
        with pytest.raises(InputError, match=f"results.md: .*{missing}:begin"):
            kept.fill(pages)
    (kept.out / "leaderboard.csv").unlink()
    with pytest.raises(InputError, match="make reference"):
        kept.fill(pages)


def test_the_committed_page_and_readme_are_those_of_today(repository, monkeypatch):
    monkeypatch.chdir(repository)
    for module in (build_reference, update_readme):
        monkeypatch.setattr(sys, "argv", [module.__name__, "--check"])
        module.main()
    monkeypatch.setattr(sys, "argv", ["verify", "--run", "results/reference"])
    with pytest.raises(SystemExit) as ended:
        verify.main()
    assert ended.value.code == 0
