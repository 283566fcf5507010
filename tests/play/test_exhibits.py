"""What the builder takes from a run: models, precisions, examples."""

import json

import numpy as np
import small_models
from safetensors.numpy import save_file

from dna.settings import Model as DNAModel
from pipeline.atomic import write_npz
from play.arrays import packed
from play.examples import EACH, KEPT, examples
from play.exhibits import Source, exhibits


def test_an_integer_is_off_by_half_a_step_at_most():
    array = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32) * [
        [1],
        [9],
        [0],
        [1e-3],
    ]
    found = small_models.decoded(packed(array.astype(np.float32), "int8")).numpy()
    steps = np.abs(array).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - array) <= 0.5001 * steps).all() and not found[2].any()
    assert packed(array[0], "int8")["kind"] == "float32"
    assert packed(array[None], "int8")["kind"] == "float16"


def write_model(path, room, **about):
    path.parent.mkdir(parents=True)
    state = {"embedding.weight": np.ones((2, 2), np.float32)}
    save_file(state, path, {"about": json.dumps({"room": room, **about})})
    return Source(path.parent.name, path, path.parent)


def test_what_the_page_cannot_compute_is_left_out_and_told(tmp_path, capsys):
    shape = DNAModel(tokens="k-mers").model_dump()
    about = {"model": shape, "classes": ["a", "b"], "dataset": "x"}
    words = write_model(tmp_path / "words" / "model.safetensors", "dna", **about)
    images = write_model(tmp_path / "images" / "model.safetensors", "vision")
    assert exhibits([words, images], tmp_path, {}) == {}
    assert capsys.readouterr().err == "words: left out: it reads k-mers\n"


def test_stories_come_before_other_texts(tmp_path):
    tokenizer = {"kind": "characters", "characters": "ab", "separator": False}
    sources = [
        write_model(tmp_path / name / "model.safetensors", "gpt", dataset=name, tokenizer=tokenizer)
        for name in ("plays", "some_stories")
    ]
    found = exhibits(sources, tmp_path, {"some_stories": "Stories"})
    assert found["gpt"]["facts"]["trained on"] == "Stories"
    assert found["gpt"]["about"]["dataset"] == "some_stories" and not found["gpt"]["stories"]


def test_examples_are_the_first_of_each_class_or_those_kept(tmp_path):
    labels = np.array([0] * 9 + [1] * 3 + [0])
    about = {"room": "dna", "dataset": "toy"}
    assert examples(tmp_path, about, tmp_path) is None
    rows = np.arange(len(labels))[:, None].astype(np.uint8)
    write_npz(tmp_path / "toy" / "sequences.npz", test_x=rows, test_y=labels)
    x, y = examples(tmp_path, about, tmp_path)
    assert x[:, 0].tolist() == [*range(EACH), 9, 10, 11] and y.tolist() == [0] * EACH + [1] * 3
    write_npz(tmp_path / KEPT, x=rows[:2], y=labels[:2])
    assert examples(tmp_path, about, tmp_path)[0].tolist() == [[0], [1]]
    assert examples(tmp_path, {"room": "gpt"}, tmp_path) is None
