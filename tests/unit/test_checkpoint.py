"""A checkpoint comes back as it was, and only for the settings, code and inputs it was made by."""

import numpy as np

from pipeline.checkpoint import Checkpoint


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
