"""A checkpoint comes back as it was, and only for the settings, code and inputs it was made by."""

import errno
import fcntl
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from pipeline import lock
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError


def test_round_trip_and_clear(tmp_path):
    (tmp_path / "data").write_text("x")
    checkpoint = Checkpoint(tmp_path / "c", "key", tmp_path / "data")
    assert checkpoint.load() is None
    checkpoint.save({"w": np.arange(3.0)}, {"step": 7})
    arrays, meta = Checkpoint(tmp_path / "c", "key", tmp_path / "data").load()
    assert meta == {"step": 7} and arrays["w"].tolist() == [0, 1, 2]
    checkpoint.clear()
    assert checkpoint.load() is None and not (tmp_path / "c").exists()


def test_a_stale_checkpoint_is_not_seen(tmp_path):
    data = tmp_path / "data"
    data.write_text("x")
    Checkpoint(tmp_path / "c", "key", data).save({}, {"step": 1})
    assert Checkpoint(tmp_path / "c", "other", data).load() is None
    data.write_text("y")
    assert Checkpoint(tmp_path / "c", "key", data).load() is None
    data.write_text("x")
    assert Checkpoint(tmp_path / "c", "key", data).load() is not None


def test_a_copied_checkpoint_of_another_key_is_refused(tmp_path):
    first, second = Checkpoint(tmp_path, "a"), Checkpoint(tmp_path, "b")
    first.save({}, {"step": 1})
    first.path.rename(second.path)
    assert second.load() is None


HOLDER = """
import sys, time
from pipeline.checkpoint import Checkpoint
checkpoint = Checkpoint(sys.argv[1], "key")
checkpoint.save({}, {"step": 1})
print("holds", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(repository, tmp_path):
    """A training in another process that has the checkpoint directory tmp_path/c."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / "c"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository / "scripts")},
    )
    assert process.stdout.readline() == "holds\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_training_on_the_same_directory_is_refused(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.3)
    with pytest.raises(InputError) as caught:
        Checkpoint(tmp_path / "c", "key")
    text = str(caught.value)
    assert f"process {holder.pid} on " in text and "or end it, then run again" in text
    assert "\n" not in text


def test_the_lock_ends_with_its_process_however_that_ends(tmp_path, holder):
    holder.kill()
    holder.wait()
    checkpoint = Checkpoint(tmp_path / "c", "key")
    assert checkpoint.load() == ({}, {"step": 1})
    checkpoint.clear()
    assert not (tmp_path / "c").exists()


def test_a_training_that_is_about_to_end_is_waited_for(tmp_path, holder):
    threading.Timer(0.5, holder.kill).start()
    assert Checkpoint(tmp_path / "c", "key").load() == ({}, {"step": 1})


def test_a_file_system_without_locks_gets_a_note(tmp_path, monkeypatch, capsys):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    Checkpoint(tmp_path / "c", "key").save({}, {"step": 1})
    shown = capsys.readouterr().out
    assert shown.count("note: ") == 1 and "no locks (No locks available)" in shown
    assert Checkpoint(tmp_path / "c", "key").load() == ({}, {"step": 1})


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        Checkpoint(tmp_path / "file" / "c", "key")


@pytest.mark.parametrize("damage", [lambda b: b[:-30], lambda b: b"", lambda b: b[::-1]])
def test_a_damaged_checkpoint_is_none(tmp_path, damage, capsys):
    checkpoint = Checkpoint(tmp_path / "c", "key")
    checkpoint.save({"w": np.arange(9.0)}, {"step": 1})
    checkpoint.path.write_bytes(damage(checkpoint.path.read_bytes()))
    assert checkpoint.load() is None
    assert "note: no whole checkpoint, starting over" in capsys.readouterr().out
