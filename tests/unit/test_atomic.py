"""Files are whole or not there."""

import json

import numpy as np
import pytest

from pipeline.atomic import replacing, write_csv, write_json, write_npz, write_text


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
