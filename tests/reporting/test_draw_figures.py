"""Figures of arrays: what a model gets wrong, and what it looks like inside."""

import re

import numpy as np
import pytest
from finished_run import call

from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.errors import InputError
from reporting import charts, draw_figures


@pytest.fixture
def wrong(tmp_path):
    """predictions.csv with three errors among five, and what they are drawn of."""
    rows = [(0, 0, 0, 0.9), (1, 0, 1, 0.4), (2, 1, 0, 0.8), (3, 1, 1, 0.1), (4, 0, 1, 0.3)]
    columns = ["id", "label", "prediction", "p_0", "p_1"]
    write_csv(
        tmp_path / "predictions.csv",
        (dict(zip(columns, (*row, 1 - row[3]), strict=True)) for row in rows),
        columns,
    )
    write_json(tmp_path / "meta.json", {"classes": ["cat", "dog"]})
    write_npz(tmp_path / "images.npz", test_x=np.zeros((5, 8, 8), np.uint8))
    tokens = np.arange(20, dtype=np.uint8).reshape(5, 4) % 4
    write_npz(tmp_path / "sequences.npz", test_x=tokens, test_id=np.array([4, 3, 2, 1, 0]))
    return [tmp_path / "predictions.csv", tmp_path / "meta.json"]


def labels(panels: list[str]) -> list[str]:
    return [re.search('aria-label="([^"]*)"', panel)[1] for panel in panels]


def test_errors_are_told_the_most_confident_first(wrong, tmp_path):
    drawn = draw_figures.errors([*wrong, tmp_path / "images.npz"], "a net", draw_figures.Spec())
    assert labels(drawn) == [
        "a net, test example 2: said cat with 80.0%, is dog",
        "a net, test example 4: said dog with 70.0%, is cat",
        "a net, test example 1: said dog with 60.0%, is cat",
    ]
    few = draw_figures.Spec(examples=1)
    assert len(draw_figures.errors([*wrong, tmp_path / "images.npz"], "a net", few)) == 1


def test_a_sequence_is_found_by_its_id(wrong, tmp_path):
    drawn = draw_figures.errors([*wrong, tmp_path / "sequences.npz"], "a net", draw_figures.Spec())
    assert "ACGT" in drawn[0] and "said cat with 80.0%, is dog" in drawn[0]


def test_no_errors_are_told_too(wrong, tmp_path):
    columns = ["id", "label", "prediction"]
    write_csv(wrong[0], [dict.fromkeys(columns, 0)], columns)
    (drawn,) = draw_figures.errors([*wrong, tmp_path / "images.npz"], "a", draw_figures.Spec())
    assert "Every test example is right." in drawn


def test_confusion_counts_by_hand():
    label, prediction = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    wanted = [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert draw_figures.confusion_counts(label, prediction, 3).tolist() == wanted


def test_the_sharpest_head_comes_first(tmp_path):
    weights = np.full((1, 2, 3, 3), 1 / 3, np.float32)
    weights[0, 1] = np.eye(3)
    path = tmp_path / "attention.npz"
    letters, names = np.array(list("ACG")), np.array(["layer 1"])
    told = {"title": np.array("a sentence"), "layer_names": names}
    write_npz(path, weights=weights, query_tokens=letters, key_tokens=letters, **told)
    drawn = draw_figures.attention([path], "DNA", draw_figures.Spec())
    assert labels(drawn) == [f"DNA: a sentence: layer 1, head {head}" for head in (2, 1)]


def test_figures_have_the_same_bytes_each_time(finished, tmp_path):
    finished.draw(tmp_path)
    first = finished.folder / "figures"
    names = {path.relative_to(first) for path in first.rglob("*.svg")}
    assert {f"{one.kind}/{one.name}" for one in finished.plan} == set(map(str, names)) != set()
    for name in names:
        assert (tmp_path / name).read_bytes() == (first / name).read_bytes()
        assert charts.panels_of((first / name).read_text())


def test_files_must_be_those_of_the_figures(finished, tmp_path, monkeypatch):
    spec = {"figures": [{"kind": "attention", "name": "a.svg", "files": 2}]}
    with pytest.raises(InputError, match="expected 2 for the figures, found 1"):
        files = finished.files["attention"]
        call(monkeypatch, draw_figures, spec, files=files, figures=tmp_path)


def test_a_title_is_said_once():
    titled = draw_figures.titled
    assert titled("CIFAR-10", "CIFAR-10: CNN") == "CIFAR-10: CNN"
    assert titled("Digits (stand-in)", "MLP on Digits") == "MLP on Digits (stand-in)"
    assert titled("CIFAR-10", "CNN") == "CIFAR-10: CNN"


def test_labels_are_numbers_of_classes_or_the_words_that_the_data_has(tmp_path):
    meta, path = tmp_path / "meta.json", tmp_path / "predictions.csv"
    write_json(meta, {"classes": ["first", "second"]})
    path.write_text("id,label,prediction\na,1,0\n")
    found = draw_figures.Predictions(path, meta)
    assert (found.label, found.prediction, found.id) == ([1], [0], ["a"])
    write_json(meta, {"classes": ["1", "NA"], "labels": ["1", "NA"]})
    path.write_text("id,label,prediction,p_1,p_NA\na,NA,NA,0.1,0.9\nb,1,NA,0.2,0.8\n")
    found = draw_figures.Predictions(path, meta)
    assert found.label.tolist() == [1, 0] and found.prediction.tolist() == [1, 1]
    assert found.errors().tolist() == [1] and found.p.tolist() == [0.9, 0.8]
    path.write_text("id,label,prediction\na,2,1\n")
    with pytest.raises(InputError, match="expected rows of these classes"):
        draw_figures.Predictions(path, meta)


def test_nets_are_drawn_beside_each_other(tmp_path):
    curve = np.stack([np.linspace(1e12, 6e12, 6), np.linspace(0.3, 0.8, 6)], axis=1)
    shifted, filters = np.linspace(0.8, 0.6, 5), np.zeros((14, 3, 3, 3), np.uint8)
    for name in ("a", "b"):
        arrays = {"curve": curve, "shifted": shifted, "filters": filters}
        write_npz(tmp_path / f"{name}.npz", model=np.array(name.upper()), **arrays)
    files = [tmp_path / "b.npz", tmp_path / "a.npz"]
    cost, shift, first = draw_figures.study(files, "images", draw_figures.Spec())
    assert "B: 0.8 at 6e+12" in cost and "A: 0.6 at 4" in shift
    assert first.count("<image ") == len(filters)
