"""A raw file that changed after it was fetched stops the prepare program before it is read."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from dna import prepare as prepare_dna
from gpt import prepare as prepare_text
from gpt.token_windows import load_tokens
from pipeline.atomic import write_npz
from pipeline.errors import InputError
from pipeline.npz import read_npz
from raw import prepare_images as prepare_images
from raw.image_data import load_meta, load_part
from raw.prepared import load_arrays, load_json
from raw.raw_files import verify
from raw.settings import Checksum


def sums(**files):
    return {
        name.replace("__", "/"): {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    }


def expected(**files):
    return {name: Checksum(**value) for name, value in sums(**files).items()}


def test_right_files_pass_as_a_folder_or_one_by_one(tmp_path):
    folder = tmp_path / "toy"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_bytes(b"A")
    (folder / "deep" / "b").write_bytes(b"B")
    files = expected(toy__a=b"A", toy__deep__b=b"B")
    verify([folder], "toy", files)
    verify([folder / "a", folder / "deep" / "b"], "toy", files)
    verify([], "toy", {})
    with pytest.raises(InputError, match=f"^{folder / 'deep' / 'b'}: not the file"):
        verify([folder], "toy", files | expected(toy__deep__b=b"C"))
    with pytest.raises(InputError, match="^a: not the file that was fetched: cannot be read"):
        verify([folder / "deep" / "b"], "toy", files)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"wrong", f"expected sha256 {hashlib.sha256(b'right').hexdigest()}, found "),
        (b"rig", "truncated: expected 5 bytes, found 3"),
        (b"righter", "expected 5 bytes, found 7"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_changed_file_is_named_with_both_sums_and_what_to_do(tmp_path, content, says):
    folder = tmp_path / "toy"
    folder.mkdir()
    if content is not None:
        (folder / "a").write_bytes(content)
    with pytest.raises(InputError) as caught:
        verify([folder], "toy", expected(toy__a=b"right"))
    text = str(caught.value)
    assert text.startswith(f"{folder / 'a'}: not the file that was fetched: {says}")
    assert "Delete it and run again" in text and "\n" not in text


@pytest.mark.parametrize(
    ("program", "dataset", "name", "options"),
    [
        (prepare_images, "fashion_mnist", "train-labels-idx1-ubyte.gz", ("images", "meta")),
        (prepare_dna, "statlog_dna", "DNA.rda", ("out", "meta")),
        (
            prepare_text,
            "tinyshakespeare",
            "input.txt",
            ("tokenizer", "train", "val", "test", "meta"),
        ),
    ],
)
def test_every_prepare_program_checks_first(tmp_path, monkeypatch, program, dataset, name, options):
    folder = tmp_path / dataset
    folder.mkdir()
    (folder / name).write_bytes(b"one byte changed")
    spec = {"dataset": dataset, "raw": sums(**{f"{dataset}__{name}": b"one byte changeD"})}
    raw = folder / name if program is prepare_text else folder
    words = ["x", "--spec", json.dumps(spec), "--raw", str(raw)]
    for option in options:
        words += [f"--{option}", str(tmp_path / option)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(InputError, match=f"{name}: not the file that was fetched: expected sha256"):
        program.main()
    assert not any((tmp_path / option).exists() for option in options)


def test_the_rules_pass_every_sum(repository):
    """A changed expected sha256 is a changed spec: Snakemake prepares again."""
    for rule, folder in (
        ("prepare_images", "data"),
        ("prepare_dna", "dna"),
        ("prepare_text", "gpt"),
    ):
        text = (repository / "workflow" / "rules" / f"{folder}.smk").read_text()
        body = text.split(f"rule {rule}:")[1].split("\nrule ")[0]
        assert "**raw_of(w)" in body, rule


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-40], lambda b: b"", lambda b: b[:200] + b"x" + b[201:]]
)
def test_a_damaged_prepared_file_says_what_to_delete(tmp_path, damage):
    path = tmp_path / "processed" / "toy" / "images.npz"
    write_npz(path, train_x=np.zeros((9, 8, 8), np.uint8), train_y=np.zeros(9, np.int64))
    load_part(path, "train", 2)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"delete {path.parent} and run again") as caught:
        load_part(path, "train", 2)
    assert str(path) in str(caught.value)
    stream = tmp_path / "processed" / "toy" / "train.npy"
    np.save(stream, np.zeros(100, np.uint16))
    load_tokens(stream, 8)
    stream.write_bytes(stream.read_bytes()[:-7])
    with pytest.raises(InputError, match=f"delete {stream.parent} and run again"):
        load_tokens(stream, 8)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dataset": 1}', "[" * 100_000, '"dataset"'])
def test_a_damaged_meta_says_what_to_delete(tmp_path, text):
    path = tmp_path / "toy" / "meta.json"
    path.parent.mkdir()
    path.write_text(text)
    for read in (load_meta, lambda p: load_json(p, ("dataset", "vocab_size"))):
        with pytest.raises(InputError, match=f"{path}: expected .* delete {path.parent} and run"):
            read(path)


def test_a_whole_meta_is_read_and_needs_classes(tmp_path):
    path = tmp_path / "toy" / "meta.json"
    path.parent.mkdir()
    meta = {"dataset": "toy", "classes": ["a"], "data_sha256": "0", "title": "Zürich"}
    path.write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
    assert load_meta(path) == meta and load_json(path, ("title",)) == meta
    with pytest.raises(InputError, match="found: none of size, kind. If a run prepared it, delete"):
        load_json(path, ("size", "title", "kind"))
    for classes in ([], "ab", None):
        path.write_text(json.dumps(meta | {"classes": classes}))
        with pytest.raises(InputError, match=f"classes: expected a list.* delete {path.parent}"):
            load_meta(path)


def test_arrays_of_another_form_say_what_to_delete(tmp_path):
    path = tmp_path / "toy" / "images.npz"
    write_npz(path, train_x=np.zeros((9, 8, 8), np.uint8), train_y=np.full(9, 2))
    with pytest.raises(InputError, match=rf"images.npz: train_y: .* delete {path.parent} and"):
        load_part(path, "train", 2)
    assert load_part(path, "train", 3)[0].shape == (9, 1, 8, 8)


def test_a_header_that_promises_too_much_claims_no_memory(tmp_path, repository):
    """2^40 bytes promised: refused within an address space that has no room for them."""
    code = """
import io, resource, sys, zipfile
import numpy as np
from pipeline.errors import InputError
from pipeline.npz import read_npz
from raw.idx import parse_idx
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
with zipfile.ZipFile(sys.argv[1], "w") as archive, archive.open("a.npy", "w") as out:
    header = {"descr": "|u1", "fortran_order": False, "shape": (2**40,)}
    np.lib.format.write_array_header_1_0(out, header)
    out.write(bytes(100))
for read in (
    lambda: read_npz(sys.argv[1]),
    lambda: parse_idx(io.BytesIO(bytes.fromhex("00000802" + "00100000" * 2)), "idx"),
    lambda: parse_idx(io.BytesIO(bytes.fromhex("00000801" + "3fffffff")), "idx"),
):
    try:
        read()
    except InputError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "x.npz"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(repository / "scripts"), "OPENBLAS_NUM_THREADS": "1"},
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stdout + done.stderr
    assert "1099511627776 bytes promised, 100 there" in lines[0]
    assert "more than" in lines[1] and "needs 1073741823 bytes of values, found 0" in lines[2]


def test_arrays_come_back_whole_and_strangers_are_refused(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.zeros(0, np.int16), "c": np.array(3)}
    write_npz(tmp_path / "x.npz", **arrays)
    found = read_npz(tmp_path / "x.npz")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    with pytest.raises(InputError, match="with the arrays a, none, found: .*none"):
        load_arrays(tmp_path / "x.npz", "a", "none")
    np.savez(tmp_path / "o.npz", a=np.array([{}], object))
    with pytest.raises(InputError, match="object"):
        read_npz(tmp_path / "o.npz")
    np.savez_compressed(tmp_path / "z.npz", a=np.zeros(10_000))
    with pytest.raises(InputError, match="compressed"):
        read_npz(tmp_path / "z.npz")
