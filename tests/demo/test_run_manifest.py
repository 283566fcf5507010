"""The demo's manifest: it names every file, no place, and is what `make verify` goes by.

Whether another folder and more cores give the same bytes is asked by tests/faults/chaos.py.
"""

import getpass
import json
import os
import platform
import shutil
import subprocess
import sys

import pytest
from code_hash import code_hash
from forks import python
from harness import planned
from rocrate.rocrate import ROCrate


@pytest.fixture(scope="module")
def manifest(demo):
    return json.loads((demo / "results/demo/manifest.json").read_text())


def verify(demo, *words):
    done = python("-m", "manifest.verify", "--run", "results/demo", *words, cwd=demo)
    return done.returncode, done.stdout + done.stderr


def test_it_names_every_file_and_what_made_it(demo, manifest):
    assert manifest["others"] == []
    assert [entry["path"] for entry in manifest["outputs"] if not entry["rule"]] == []
    rules = {job["rule"] for job in manifest["jobs"]}
    assert rules >= {"train_gpt", "train_mlp", "cross_validate_mlp", "build_report", "prepare_dna"}
    # Each job had the hash of its program's code in its spec.
    scripts = (demo / "scripts").resolve()
    programs = manifest["code"]["programs"]
    assert programs == {name: [code_hash(scripts, name)] for name in programs}
    # All but fetching: a raw file is what its sha256 says.
    assert {job["program"] for job in manifest["jobs"]} == set(programs)
    paths = {entry["path"] for entry in manifest["inputs"]}
    assert {"config/references.yaml", "workflow/report/report.html.j2"} <= paths
    assert "data/processed/digits/images.npz" in paths
    assert manifest["config"]["values"]["run"] == "demo"
    assert manifest["seeds"]["train_gpt"] == {"seed": [1]}


def test_it_names_no_place(demo, manifest):
    for name in ("manifest.json", "ro-crate-metadata.json"):
        text = (demo / "results/demo" / name).read_text()
        # The names, not the letters: a host may be called `data`, a user `runner`.
        for place in (str(demo), str(demo.parent), '"/', f'"{platform.node()}"'):
            assert place not in text, f"{name}: {place}"
        assert f"/{getpass.getuser()}/" not in text


def test_the_crate_can_be_read(demo, manifest):
    crate = ROCrate(demo / "results/demo")
    files = {entity.id for entity in crate.get_by_type("File")}
    assert {entry["path"] for entry in manifest["outputs"]} <= files
    assert all((demo / "results/demo" / name).exists() for name in files if "://" not in name)


def test_verify_sees_a_flipped_bit(demo):
    assert verify(demo)[0] == 0
    model = demo / "results/demo/seq2seq/seed1/model.safetensors"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    kept = model.with_name(".kept")
    shutil.copy2(model, kept)
    try:
        model.write_bytes(content)
        status, told = verify(demo)
    finally:
        kept.replace(model)
    assert status == 1
    assert told.startswith("changed (sha256): results/demo/seq2seq/seed1/model.safetensors\n")
    assert "--forcerun FILE" in told
    shown = planned(demo, "--forcerun", "results/demo/seq2seq/seed1/model.safetensors")
    assert shown["train_seq2seq"] == 1 and "train_gpt" not in shown
    assert verify(demo)[0] == 0


def test_the_reference_folder_can_be_verified(demo):
    reference = ("--run", "results/demo", "--out", "results/reference")
    done = python("-m", "reporting.collect_reference", *reference, cwd=demo)
    assert done.returncode == 0, done.stderr
    try:
        words = [sys.executable, "workflow/lib/build_reference.py"]
        by_make = {**os.environ, "PYTHONSAFEPATH": ""}
        done = subprocess.run(words, cwd=demo, env=by_make, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        done = python("-m", "manifest.verify", "--run", "results/reference", cwd=demo)
        assert done.returncode == 0, done.stdout
        status, told = verify(demo, "--against", "results/reference")
        assert status == 0, told
    finally:
        shutil.rmtree(demo / "results/reference")


def test_a_new_result_means_a_new_manifest(demo):
    assert set(planned(demo, "--forcerun", "evaluate_mlp")) >= {"build_manifest", "build_crate"}
