"""Programs that read what others wrote: a damaged file is one line that names it."""

import json

import numpy as np
import pytest
from finished_run import call

from mlp import rank_rung, select
from pipeline.errors import InputError
from pipeline.results import COLUMNS
from reporting import build_leaderboard, build_report, draw_figures

DAMAGED = {
    "cut": b'{"task": "a", "cur',
    "another object": b'{"name": "a"}',
    "a list": b"[1, 2]",
    "bytes": bytes(range(256)),
    "nothing": b"",
    "an aliased mapping": b"a: &a {b: *a}\n- ",
}
KINDS = {"attention": 1, "positions": 1, "confusion": 2, "errors": 3, "study": 1}  # and their files
CASES = [
    *((draw_figures, kind) for kind in KINDS),
    (build_report, "leaderboard"),
    (build_report, "references"),
    (build_report, "records"),
    (build_leaderboard, "metrics"),
    (build_leaderboard, "references"),
    (select, "scores"),
    (rank_rung, "scores"),
]
OTHERS = {
    build_report: ["leaderboard", "references", "template", "records", "figures", "out"],
    build_leaderboard: ["metrics", "references", "out", "splits"],
    select: ["out"],
    rank_rung: ["ranking", "meta", "out"],
}


@pytest.fixture
def sound(repository, tmp_path):
    """What the programs read beside the damaged file, and write."""
    board, other = tmp_path / "board.csv", tmp_path / "sound.json"
    board.write_text(",".join(COLUMNS) + "\n")
    other.write_text(json.dumps({"classes": ["a", "b"], "rows": []}))
    return {
        "leaderboard": board,
        "references": repository / "config" / "references.yaml",
        "template": repository / "workflow" / "report" / "report.html.j2",
        **dict.fromkeys(("records", "metrics", "meta", "figures", "ranking"), other),
        **dict.fromkeys(("out", "splits"), tmp_path / "out"),
    }


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize(("program", "option"), CASES, ids=lambda it: getattr(it, "__name__", it))
def test_a_damaged_file_is_one_line(sound, tmp_path, monkeypatch, program, option, damage):
    path = tmp_path / "damaged"
    path.write_bytes(DAMAGED[damage])
    spec = {"trainings": [{}]} if program is rank_rung else {}
    if option == "records":
        spec = {"records": [{"room": "gpt", "folder": "gpt"}], "rooms": {"gpt": []}}
    if program is draw_figures:
        spec = {"figures": [{"kind": option, "name": "a.svg", "files": KINDS[option]}]}
        files = [path, *[sound["meta"]] * (KINDS[option] - 1)]
        words = {"files": files, "figures": tmp_path / "figures"}
    else:
        words = {name: sound[name] for name in OTHERS[program]} | {option: path}
    with pytest.raises(InputError) as told:
        call(monkeypatch, program, spec, **words)
    assert str(path) in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("label", ["1.5", "-1", "x", ""])
def test_a_class_that_is_no_number_is_one_line(sound, tmp_path, label):
    path = tmp_path / "predictions.csv"
    path.write_text(f"id,label,prediction\n0,0,1\n1,{label},1\n")
    with pytest.raises(InputError, match="predictions.csv: expected rows of whole numbers"):
        draw_figures.Predictions(path, sound["meta"])


def test_sound_predictions_are_read(sound, tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("id,label,prediction,p_0,p_1,p_2\n0,0,1,.1,.8,.1\n1,1,1,0,1,0\n")
    found = draw_figures.Predictions(path, sound["meta"])
    assert np.array_equal(found.label, [0, 1]) and np.array_equal(found.prediction, [1, 1])
    assert found.names == ["0", "1", "2"] and np.array_equal(found.p, [0.8, 1.0])
