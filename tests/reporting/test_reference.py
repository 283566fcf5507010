"""The committed reference results and the tables of README.md that are made from them."""

import itertools
import json
import shutil
import subprocess
import sys

import dag_cost
import pytest

from pipeline.errors import InputError
from reporting import collect_reference, cost, speed, update_readme
from reporting.leaderboard import read_leaderboard, read_references
from reporting.summary import markdown_table

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
