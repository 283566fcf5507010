"""Files are whole or not there."""

import json
import os
import resource
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from pipeline.atomic import (
    replacing,
    write_csv,
    write_json,
    write_npz,
    write_text,
)
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError, require_writable
from pipeline.weights import save_weights


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_former_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "before")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("the disk is full")
    assert target.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_a_failed_first_write_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "sub" / "a.json", {"x": float("nan")})
    assert names(tmp_path) == []


def test_numpy_values_become_plain_json(tmp_path):
    write_json(tmp_path / "a.json", {"x": np.float32(0.5), "y": np.arange(2)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 0.5, "y": [0, 1]}


def test_csv_has_exactly_the_columns(tmp_path):
    write_csv(tmp_path / "a.csv", [{"a": 1, "b": None}, {"a": float("nan"), "b": "x,y"}], "ab")
    assert (tmp_path / "a.csv").read_text() == 'a,b\n1,\n,"x,y"\n'
    with pytest.raises(ValueError, match="fields not in fieldnames"):
        write_csv(tmp_path / "b.csv", [{"c": 1}], "ab")
    assert names(tmp_path) == ["a.csv"]


def test_npz_is_deterministic_and_refuses_objects(tmp_path):
    for name in "ab":
        write_npz(tmp_path / f"{name}.npz", x=np.arange(3), y=np.ones(2, np.float32))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with pytest.raises(TypeError, match="'x' holds Python objects"):
        write_npz(tmp_path / "c.npz", x=np.array([{}], dtype=object))
    assert names(tmp_path) == ["a.npz", "b.npz"]


def test_permissions_are_those_of_an_ordinary_file(tmp_path):
    write_text(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@contextmanager
def small_disk():
    """No file may grow above 4 kB: what a full disk is to a writer, without a disk.

    Not a fixture: that would last until pytest has printed the outcome, and where its standard
    output is a file of more than 4 kB, as in CI, pytest itself would fail.
    """
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


WRITERS = {
    "txt": lambda path: write_text(path, "x" * 9000),
    "json": lambda path: write_json(path, list(range(9000))),
    "csv": lambda path: write_csv(path, ({"a": n} for n in range(9000)), "a"),
    "npz": lambda path: write_npz(path, x=np.zeros(9000)),
    "safetensors": lambda path: save_weights(path, torch.nn.Linear(60, 60)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_one_clear_error_and_the_former_file_stays(tmp_path, kind):
    target = tmp_path / f"a.{kind}"
    target.write_text("before")
    with pytest.raises(InputError) as caught, small_disk():
        WRITERS[kind](target)
    text = str(caught.value)
    assert text.startswith(f"{target}: cannot be written: File too large. Make room, ")
    assert "run again" in text and "\n" not in text
    assert target.read_text() == "before" and names(tmp_path) == [target.name]


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "key")
    checkpoint.save({"w": np.zeros(9)}, {"step": 1})
    with pytest.raises(InputError, match="cannot be written: File too large"), small_disk():
        checkpoint.save({"w": np.zeros(9000)}, {"step": 2})
    assert checkpoint.load()[1] == {"step": 1}
    assert names(tmp_path / "c") == sorted([checkpoint.path.name, "lock"])


WRITER = """
import sys, time
from pipeline.atomic import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_is_removed_and_that_of_a_living_one_is_not(repository, tmp_path):
    target = tmp_path / "a.json"
    (tmp_path / ".a.json").write_text("not ours")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, target],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository / "scripts")},
    )
    try:
        left = writer.stdout.readline().strip()
        write_json(target, 1)
        assert os.path.exists(left), "its writer lives"
    finally:
        writer.kill()
        writer.wait()
    assert os.path.exists(left)
    write_json(target, 2)
    assert names(tmp_path) == [".a.json", "a.json"] and target.read_text() == "2\n"


def test_another_error_is_not_called_a_full_disk(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        (tmp_path / "nothing").read_text()
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_written_is_said_before_and_nothing_is_made(tmp_path, monkeypatch):
    require_writable(tmp_path / "new" / "folder" / "a")
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no folder"):
        require_writable(tmp_path / "file" / "a")
    # root may write anywhere but on a read-only disk, so the answer is made up.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(InputError, match=f"{tmp_path} is read-only, or not yours"):
        require_writable(tmp_path / "new" / "a")
