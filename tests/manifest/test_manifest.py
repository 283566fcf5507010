"""manifest.json, verify_run and the RO-Crate, on a small run made up here."""

import contextlib
import io
import json
import sys
from base64 import urlsafe_b64encode
from unittest import mock

import numpy as np
import pytest
import yaml
from rocrate.rocrate import ROCrate

from manifest import build_crate, build_manifest
from manifest import verify as verify_run
from manifest.stable import stable_sha256
from manifest.surroundings import limits
from pipeline import settings
from pipeline.atomic import write_npz

HEAD = (
    "task,dataset,model,inputs,views,members,subset,implementation,metric,split,value,"
    "train_seconds,commit,source\n"
)
ROW = (
    "vision,digits,CNN,pixels,none,1,all,torch,accuracy,test,{value},{seconds},{commit},this run\n"
)
TABLE = """
digits:
  {title: Digits, kind: downloaded, task: image_classification, description: Small images.,
   licence: CC0, citation: none, homepage: null,
   files: [{path: digits/raw.bin, bytes: 3, sha256: %s, urls: [https://example.org/raw.bin]}]}
"""
RAW = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of b"abc"


def record(folder, outputs, inputs, rule, spec):
    """What Snakemake writes about a finished job, with the fields that are read."""
    command = f"python -m room.{rule} --spec '{json.dumps(spec)}' --out x > log 2>&1"
    for output in outputs:
        path = folder / ".snakemake" / "metadata" / urlsafe_b64encode(output.encode()).decode()
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {"rule": rule, "input": inputs, "shellcmd": command, "incomplete": False}
        path.write_text(json.dumps({**values, "starttime": 10.0, "endtime": 1_700_000_000.5}))


def make(folder, seconds=1.5, value=0.9, commit="aaa"):
    """A run in `folder`/results/r: a raw file, a model, its history and a leaderboard."""
    run = folder / "results" / "r"
    for path, text in {
        "data/raw/digits/raw.bin": "abc",
        "datasets.yaml": TABLE % RAW,
        "Snakefile": "rule all:\n",
        "results/r/vision/model.npz": "weights",
        "results/r/vision/history.json": json.dumps(
            {"seconds": seconds, "loss": 1, "provenance": {"commit": commit, "device": "cpu"}}
        ),
        "results/r/leaderboard.csv": HEAD + ROW.format(value=value, seconds=seconds, commit=commit),
        "results/r/report.html": f"{seconds} s",
        "results/r/logs/train.log": "a log",
        "results/r/vision/.checkpoint": "hidden",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    model, history = "results/r/vision/model.npz", "results/r/vision/history.json"
    spec = {"code": "c0de", "seed": 3, "threads": 1}
    record(folder, [model, history], ["data/raw/digits/raw.bin"], "train", spec)
    record(folder, ["results/r/leaderboard.csv"], [history], "board", {"code": "b0a2d"})
    return run


def call(folder, program, *words):
    """(status, what it printed) of a program's main() in `folder`, in this process."""
    shown, status = io.StringIO(), 0
    argv = [program.__name__, *map(str, words)]
    with contextlib.chdir(folder), mock.patch.object(sys, "argv", argv):
        try:
            with contextlib.redirect_stdout(shown):
                settings.run(program.main)
        except SystemExit as end:
            if isinstance(end.code, str):
                return 1, end.code
            status = end.code
    return status, shown.getvalue()


CONFIG = {"run": "r", "a": {"dataset": "digits"}}
CRATE = [
    "--manifest", "results/r/manifest.json", "--datasets", "datasets.yaml",
    "--workflow", "Snakefile", "--crate", "results/r/ro-crate-metadata.json",
    "--snakefile", "results/r/Snakefile",
]  # fmt: skip


def record_run(folder, spec=None):
    spec = spec or {"run": "r", "snakemake": "9.27.1", "config": CONFIG}
    board, page = "results/r/leaderboard.csv", "results/r/report.html"
    return call(
        folder, build_manifest, "--spec", json.dumps(spec), "--files", board, page,
        "--datasets", "datasets.yaml", "--manifest", "results/r/manifest.json",
    )  # fmt: skip


@pytest.fixture
def recorded(tmp_path):
    run = make(tmp_path)
    status, printed = record_run(tmp_path)
    assert status == 0, printed
    return tmp_path, run, json.loads((run / "manifest.json").read_text())


def test_the_manifest_says_what_made_each_file(recorded):
    _, _, manifest = recorded
    rules = {entry["path"]: entry["rule"] for entry in manifest["outputs"]}
    assert rules == {
        "leaderboard.csv": "board",
        "report.html": None,
        "vision/history.json": "train",
        "vision/model.npz": "train",
    }
    assert manifest["inputs"] == [
        {"path": "data/raw/digits/raw.bin", "bytes": 3, "sha256": RAW, "checked": True}
    ]
    assert manifest["code"]["programs"] == {"room.board": ["b0a2d"], "room.train": ["c0de"]}
    assert manifest["seeds"] == {"train": {"seed": [3]}}
    assert manifest["threads"] == {"train": {"threads": [1]}}
    assert manifest["trained_on"] == [{"commit": "aaa", "device": "cpu"}]
    assert manifest["finished"] == "2023-11-14T22:13:20+00:00"
    assert manifest["others"] == []
    assert {"python", "snakemake", "blas", "packages"} <= set(manifest["software"])


def test_it_says_where_a_device_or_a_setting_narrows_the_promise(recorded):
    _, _, manifest = recorded
    assert manifest["determinism"]["limits"] == [], "one thread of a CPU"
    machines = [
        {"device": "cuda", "threads": 1, "blas_kernels": None},
        {"device": "cpu", "threads": 4, "blas_kernels": "Haswell"},
    ]
    settings = {
        "train_gpt": {"precision": ["float32", "bfloat16"]},
        "train_vision": {"bfloat16": [True]},
        "train_dna": {"precision": ["float32"]},
    }
    lines = limits(machines, settings)
    assert [line.split(":")[0] for line in lines] == [
        "trained on cuda",
        "4 threads",
        "OPENBLAS_CORETYPE=Haswell",
        "bfloat16 in train_gpt, train_vision",
    ]
    assert "the same bytes are not promised" in lines[0]


def test_it_is_the_same_when_it_is_written_again(recorded):
    folder, run, _ = recorded
    before = (run / "manifest.json").read_bytes()
    record_run(folder)
    assert (run / "manifest.json").read_bytes() == before


def test_what_no_job_made_is_listed_apart(recorded):
    folder, run, _ = recorded
    (run / "vision" / "old.npz").write_text("of another configuration")
    record_run(folder)
    manifest = json.loads((run / "manifest.json").read_text())
    assert [entry["path"] for entry in manifest["others"]] == ["vision/old.npz"]


def test_a_raw_file_that_is_not_the_tables_is_refused(tmp_path):
    run = make(tmp_path)
    (tmp_path / "data/raw/digits/raw.bin").write_text("abd")
    status, printed = record_run(tmp_path)
    assert status == 1 and printed.startswith("error: data/raw/digits/raw.bin: sha256 ")
    assert not (run / "manifest.json").exists()


def test_a_broken_record_is_named(tmp_path):
    make(tmp_path)
    broken = next((tmp_path / ".snakemake/metadata").iterdir())
    broken.write_text("{")
    status, printed = record_run(tmp_path)
    assert status == 1 and broken.name in printed and "Traceback" not in printed


def test_verify_agrees(recorded):
    folder, _, _ = recorded
    status, printed = call(folder, verify_run, "--run", "results/r")
    assert status == 0
    assert printed.splitlines()[-1].startswith("results/r is as its manifest says (run r, commit ")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("vision/model.npz", None, "missing: results/r/vision/model.npz"),
        ("vision/model.npz", "weightz", "changed (sha256): results/r/vision/model.npz"),
        ("report.html", "", "changed (0 bytes, expected 5): results/r/report.html"),
        ("vision/new.csv", "x", "extra: results/r/vision/new.csv"),
        ("../../data/raw/digits/raw.bin", "x", "changed (1 bytes, expected 3): data/raw/digits/"),
    ],
)
def test_verify_names_what_is_wrong(recorded, name, text, line):
    folder, run, _ = recorded
    path = run / name
    path.unlink() if text is None else path.write_text(text)
    status, printed = call(folder, verify_run, "--run", "results/r")
    assert status == 1
    found, verdict, *advice = printed.splitlines()
    assert found.startswith(line) and verdict.startswith("results/r is NOT as its manifest says")
    assert len(advice) == (0 if line.startswith("extra") else 2)


def test_verify_of_a_part_misses_nothing_but_sees_changes(recorded):
    folder, run, _ = recorded
    (run / "vision/model.npz").unlink()
    (run / "jobs.csv").write_text("rule\n")
    (run / "README.md").write_text("# Reference\n")
    status, printed = call(folder, verify_run, "--run", "results/r")
    assert status == 0, printed
    (run / "leaderboard.csv").write_text(HEAD)
    status, printed = call(folder, verify_run, "--run", "results/r")
    assert status == 1 and "results/r/leaderboard.csv" in printed


def against(folder, other):
    words = ["--run", "results/r", "--against", other / "results" / "r"]
    return call(folder, verify_run, *words)


def test_two_runs_agree_but_for_time_and_commit(recorded, tmp_path_factory):
    folder, _, _ = recorded
    other = tmp_path_factory.mktemp("other")
    make(other, seconds=99.0, commit="bbb")
    status, printed = against(folder, other)
    assert status == 0, printed
    # The model, the history and the leaderboard's rows; the report shows seconds and is left out.
    assert printed.rstrip().endswith("agree: every metric of the leaderboard and 2 files")


def test_two_runs_differ_by_row_and_column(recorded, tmp_path_factory):
    folder, _, _ = recorded
    other = tmp_path_factory.mktemp("other")
    run = make(other, value=0.8)
    (run / "vision/model.npz").write_text("other weights")
    with (run / "leaderboard.csv").open("a") as board:
        board.write(ROW.format(value=1, seconds=1, commit="c").replace("CNN", "MLP"))
    status, printed = against(folder, other)
    lines = printed.splitlines()
    row = "leaderboard: vision, digits, {}, pixels, none, 1, all, torch, accuracy, test, this run: "
    assert status == 1
    assert lines[0] == row.format("CNN") + "value: 0.9 and 0.8"
    assert lines[1].startswith(row.format("MLP") + "only in ")
    assert lines[2] == "vision/model.npz: differs"
    assert lines[3].endswith("DIFFER: 3 differences, 1 files the same")


def test_a_stored_part_still_knows_its_models(recorded, tmp_path_factory):
    """results/reference has no weights, but its manifest knows what they were."""
    folder, run, _ = recorded
    (run / "vision/model.npz").unlink()
    (run / "jobs.csv").write_text("rule\n")
    other = tmp_path_factory.mktemp("other")
    fresh = make(other)
    assert against(folder, other)[0] == 0
    (fresh / "vision/model.npz").write_text("other weights")
    status, printed = against(folder, other)
    assert status == 1 and "vision/model.npz: differs" in printed


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("a.json", '{"x": 1, "seconds": 2}', '{"seconds": 3, "x": 1}', True),
        ("a.json", '{"x": [{"fold_seconds": [1]}]}', '{"x": [{"fold_seconds": [2]}]}', True),
        ("a.json", '{"x": 1}', '{"x": 2}', False),
        ("a.csv", "a,commit\n1,x\n", "a,commit\n1,y\n", True),
        ("a.csv", "a,commit\n1,x\n", "a,commit\n2,x\n", False),
        ("a.json", "{", "{}", False),
        ("a.npz", "1", "2", False),
    ],
)
def test_what_must_be_the_same(tmp_path, name, one, other, same):
    paths = [tmp_path / folder / name for folder in ("one", "other")]
    for path, text in zip(paths, (one, other), strict=True):
        path.parent.mkdir()
        path.write_text(text)
    assert (stable_sha256(paths[0]) == stable_sha256(paths[1])) == same


def test_seconds_in_an_array_file_may_differ(tmp_path):
    paths = [tmp_path / name for name in ("one.npz", "same.npz", "other.npz")]
    for path, seconds, weight in zip(paths, (1.0, 2.0, 1.0), (3.0, 3.0, 4.0), strict=True):
        write_npz(path, seconds=np.float64(seconds), p=np.full(2, weight))
    one, same, other = map(stable_sha256, paths)
    assert one == same != other


def test_the_crate_is_read_back_and_is_the_same_again(recorded):
    folder, run, manifest = recorded
    found = []
    for _ in range(2):
        status, printed = call(folder, build_crate, *CRATE)
        assert status == 0, printed
        found.append((run / "ro-crate-metadata.json").read_bytes())
    assert found[0] == found[1]
    crate = ROCrate(run)
    assert crate.mainEntity.id == "Snakefile"
    assert crate.root_dataset["datePublished"] == manifest["finished"]
    action = crate.get("#run")
    assert action["instrument"] is crate.mainEntity
    assert {entity.id for entity in action["result"]} == {e["path"] for e in manifest["outputs"]}
    assert [entity["name"] for entity in action["object"]] == ["Digits"]
    assert crate.get("vision/model.npz")["sha256"] == stable_sha256(run / "vision/model.npz")
    assert crate.get("https://example.org/raw.bin")["sha256"] == RAW
    status, printed = call(folder, verify_run, "--run", "results/r")
    assert status == 0, printed


def test_data_of_ones_own_are_checked_and_described(tmp_path):
    own = yaml.safe_load(TABLE % RAW)["digits"] | {"kind": "own"}
    run = make(tmp_path)
    (tmp_path / "datasets.yaml").write_text("{}")
    spec = {"run": "r", "config": {"own": {"digits": own}, "a": {"dataset": "digits"}}}
    status, printed = record_run(tmp_path, spec)
    assert status == 0, printed
    (raw,) = json.loads((run / "manifest.json").read_text())["inputs"]
    assert raw["checked"] is True
    status, printed = call(tmp_path, build_crate, *CRATE)
    assert status == 0, printed
    (data,) = ROCrate(run).get("#run")["object"]
    assert data["name"] == "Digits" and "hasPart" not in data
