"""The demo's manifest: it names every file, no place, and proves another run equal."""

import getpass
import json
import platform
import shutil
import subprocess
import sys

import pytest
from code_hash import code_hash
from harness import copy_repository, planned, snakemake
from rocrate.rocrate import ROCrate

from manifest.stable import results, stable_sha256


@pytest.fixture(scope="module")
def manifest(demo):
    return json.loads((demo / "results/demo/manifest.json").read_text())


def verify(demo, *words):
    words = [sys.executable, "scripts/verify_run.py", "--run", "results/demo", *map(str, words)]
    done = subprocess.run(words, cwd=demo, capture_output=True, text=True)
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
    assert verify(demo)[0] == 0


def test_the_reference_folder_can_be_verified(demo):
    words = ["scripts/collect_reference.py", "--run", "results/demo", "--out", "results/reference"]
    subprocess.run([sys.executable, *words], cwd=demo, capture_output=True, check=True)
    try:
        words = ["scripts/verify_run.py", "--run", "results/reference"]
        done = subprocess.run([sys.executable, *words], cwd=demo, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        status, told = verify(demo, "--against", "results/reference")
        assert status == 0, told
    finally:
        shutil.rmtree(demo / "results/reference")


# A search in NumPy and a room in PyTorch, with all that they need: half a minute.
AGAIN = (
    "results/demo/mlp/ensemble/metrics.json",
    "results/demo/dna/planted_motifs/metrics.json",
)


def test_another_folder_and_more_cores_give_the_same_bytes(
    repository, demo, manifest, tmp_path_factory
):
    """What the second run makes is equal to the first run's, but for seconds and commits."""
    other = copy_repository(repository, tmp_path_factory.mktemp("another") / "folder")
    snakemake(other, *AGAIN, "--cores", "3")
    first = {entry["path"]: entry["stable_sha256"] for entry in manifest["outputs"]}
    run = other / "results/demo"
    second = {name: stable_sha256(run / name) for name in results(run)}
    assert {name for name in second if first.get(name) != second[name]} == set()
    models = [name for name in second if name.endswith((".safetensors", "/model.npz"))]
    assert len(models) >= 5
    assert sum(name.endswith("metrics.json") for name in second) == 4


def test_a_new_result_means_a_new_manifest(demo):
    assert set(planned(demo, "--forcerun", "evaluate_mlp")) >= {"build_manifest", "build_crate"}
