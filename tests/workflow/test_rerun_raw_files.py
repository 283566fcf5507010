"""What a raw file, its checksum and a fresh clone rerun: a pretended run of the real data sets."""

import shutil

import pytest
from harness import copy_repository, planned, pretend

TABLE = "config/datasets.yaml"
SHAKESPEARE = "data/raw/tinyshakespeare"


@pytest.fixture(scope="module")
def smoke(repository, tmp_path_factory):
    """A copy of the repository with a run of `smoke` whose files are empty."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("smoke"))
    pretend(folder, preset="smoke")
    assert planned(folder, preset="smoke") == {}
    return folder


def edited_table(smoke, change):
    """The plan with another table of data sets, which is put back."""
    path = smoke / TABLE
    text = path.read_text()
    assert change(text) != text
    try:
        path.write_text(change(text))
        return set(planned(smoke, preset="smoke"))
    finally:
        path.write_text(text)


def sums(text):
    """(text up to the sha256 of tinyshakespeare's first file, that sha256, the rest)."""
    start = text.index("sha256: ", text.index("\ntinyshakespeare:")) + len("sha256: ")
    return text[:start], text[start : start + 64], text[start + 64 :]


def test_a_replaced_raw_file_reruns_its_consumers(smoke):
    raw = next(path for path in (smoke / SHAKESPEARE).iterdir() if path.is_file())
    kept = raw.read_bytes()
    try:
        raw.write_bytes(b"another text")
        jobs = planned(smoke, preset="smoke")
    finally:
        raw.write_bytes(kept)
    assert (jobs["prepare_text"], jobs["train_gpt"]) == (1, 1)
    assert not {name for name in jobs if name.startswith("fetch")}
    assert not {"prepare_images", "prepare_dna", "train_dna", "train_mlp", "train_vision"} & set(
        jobs
    )


def test_another_checksum_fetches_and_prepares_anew(smoke):
    head, old, rest = sums((smoke / TABLE).read_text())
    jobs = edited_table(smoke, lambda text: head + old[::-1] + rest)
    assert {"fetch_tinyshakespeare", "prepare_text", "train_gpt"} <= jobs
    assert not {"fetch_tinystories", "prepare_images", "train_dna", "train_mlp"} & jobs


def test_another_url_reruns_the_record_alone(smoke):
    """What is told about a data set changes; the file is what its checksum says, wherever from."""
    change = edited_table(smoke, lambda text: text.replace("https://raw.", "https://other.", 1))
    assert change == {"build_manifest", "build_crate"}


def test_a_fresh_clone_with_restored_results_reruns_nothing(repository, smoke, tmp_path):
    """Every file has another time there: contents and records count."""
    clone = copy_repository(repository, tmp_path / "clone")
    for name in ("results", "data", ".snakemake"):
        shutil.copytree(smoke / name, clone / name, copy_function=shutil.copyfile)
    assert planned(clone, preset="smoke") == {}
