"""Raw files through the rules: a changed expected sha256 reruns fetch and prepare; a file that was
changed after it was fetched stops the prepare program."""

import hashlib

import pytest
import yaml
from harness import copy_repository, snakemake

DATASET = "gue/prom_core_tata"
RAW = f"data/raw/{DATASET}"
MADE = f"data/processed/{DATASET}/sequences.npz"
CONTENT = {
    "train.csv": "sequence,label\nACGTAC,0\nTTGACA,1\n",
    "dev.csv": "sequence,label\nACGTAA,0\nTTGACC,1\n",
    "test.csv": "sequence,label\nACGTTT,0\nTTGAAA,1\n",
}


def expect(folder, content):
    """Write into the table that the files are to be `content`."""
    path = folder / "config" / "datasets.yaml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    for file in table[DATASET]["files"]:
        data = content[file["path"].rpartition("/")[2]].encode()
        file |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    path.write_text(yaml.safe_dump(table), encoding="utf-8")


@pytest.fixture(scope="module")
def prepared(repository, tmp_path_factory):
    """A copy with a tiny data set in place of a real one, fetched from a mirror and prepared."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("sums") / "copy")
    mirror = folder.parent / "mirror" / DATASET
    mirror.mkdir(parents=True)
    for name, text in CONTENT.items():
        (mirror / name).write_text(text)
    expect(folder, CONTENT)
    change = {"data_mirror": str(folder.parent / "mirror")}
    snakemake(folder, MADE, preset="config", change=change)
    return folder


def planned(folder):
    shown = snakemake(folder, "-n", MADE, preset="config")
    names = ("fetch_gue_prom_core_tata", "prepare_dna")
    return [name for name in names if f"rule {name}:" in shown]


def test_a_changed_expected_sha256_reruns_fetch_and_prepare(prepared):
    assert planned(prepared) == []
    try:
        expect(prepared, {**CONTENT, "dev.csv": CONTENT["dev.csv"].replace("A", "C")})
        assert planned(prepared) == ["fetch_gue_prom_core_tata", "prepare_dna"]
    finally:
        expect(prepared, CONTENT)
    assert planned(prepared) == []


def test_a_byte_changed_after_the_fetch_stops_the_prepare(prepared):
    raw = prepared / RAW / "dev.csv"
    raw.write_text(CONTENT["dev.csv"].replace("ACGTAA", "ACGTAC"))
    shown = snakemake(prepared, MADE, preset="config", check=False)
    log = next(prepared.glob("results/*/logs/prepare_dna/gue/*.log")).read_text()
    wrong = hashlib.sha256(raw.read_bytes()).hexdigest()
    right = hashlib.sha256(CONTENT["dev.csv"].encode()).hexdigest()
    assert "Error in rule prepare_dna" in shown
    assert log == (
        f"error: {RAW}/dev.csv: not the file that was fetched: expected sha256 {right}, found"
        f" {wrong}. Delete it and run again: the right one is then fetched.\n"
    )
