"""The programs of the room: prepare, train, evaluate."""

import csv
import json

import numpy as np
import pytest
import torch
from tiny_trainings import call

from pipeline.errors import InputError
from pipeline.settings import read_spec
from seq2seq import evaluate as evaluate_seq2seq
from seq2seq import prepare as prepare_genetic_code
from seq2seq import train as train_seq2seq
from seq2seq.settings import PrepareSpec, TrainSpec

MODEL = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_encoder_layers": 1, "n_decoder_layers": 1}


@pytest.fixture(autouse=True)
def leave_torch_as_it_was():
    threads, algorithms = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(algorithms)


def test_from_nothing_to_attention(monkeypatch, tmp_path):
    data, meta = tmp_path / "x.npz", tmp_path / "meta.json"
    sizes = {"train": 120, "val": 20, "test": 30, "shortest": 2, "longest": 4}
    call(monkeypatch, prepare_genetic_code, sizes, out=data, meta=meta)
    with np.load(data) as arrays:
        rows = [{r.tobytes() for r in arrays[f"{s}_y"]} for s in ("train", "val", "test")]
        assert len(set.union(*rows)) == 170
        acids = (arrays["long_y"] < 20).sum(axis=1)
        assert len(acids) == 30 and set(acids) == {5, 6, 7, 8}
    spec = {"model": MODEL, "steps": 12, "batch_size": 16, "evaluate_every": 4}
    trained = {"weights": tmp_path / "w.safetensors", "history": tmp_path / "h.json"}
    call(monkeypatch, train_seq2seq, spec, data=data, **trained)
    history = json.loads(trained["history"].read_text())
    curve = history["curve"]
    assert curve[-1]["lr"] == pytest.approx(0.01 * TrainSpec().lr)
    # C = 8 channels; per token 4 C^2 of an attention's projections, 2 C^2 of the feed-forward; two
    # products with all tokens that are asked; cross-attention's keys and values are the source's.
    channels, source, target, vocabulary = 8, 3 * 5, 4 + 1, 23
    encoder = source * 6 * channels**2 + 2 * source**2 * channels
    decoder = target * 8 * channels**2 + 2 * target**2 * channels
    cross = source * 2 * channels**2 + 2 * target * source * channels
    forward = 2 * (encoder + decoder + cross + target * channels * vocabulary)
    assert history["train_flops"] == 3 * forward * 12 * 16

    outputs = {name: tmp_path / f"{name}.out" for name in ("metrics", "predictions")}
    outputs |= {name: tmp_path / f"{name}.npz" for name in ("attention", "positions")}
    models = {"weights": [trained["weights"]], "histories": [trained["history"]]}
    evaluation = {"model": MODEL}
    call(monkeypatch, evaluate_seq2seq, evaluation, data=data, meta=meta, **models, **outputs)
    table = list(csv.DictReader(outputs["predictions"].open()))
    assert list(table[0]) == ["id", "frame", "label", "prediction"] and len(table) == 30
    exact = np.mean([row["label"] == row["prediction"] for row in table])
    metrics = json.loads(outputs["metrics"].read_text())["rows"]
    ways = [("none", "all"), ("none", "longer than trained"), ("beam of 4", "all")]
    assert sorted((r["views"], r["subset"]) for r in metrics if r["split"] == "test") == sorted(
        2 * ways
    )
    greedy = [r for r in metrics if (r["views"], r["subset"]) == ways[0]]
    found = {(r["metric"], r["split"]): r["value"] for r in greedy}
    assert found["exact_match", "test"] == pytest.approx(exact)
    assert len(found) == 4 and len(metrics) == 8
    assert {(r["inputs"], r["members"]) for r in metrics} == {("nucleotides", "1")}
    assert found["exact_match", "val"] == max(point["val_exact_match"] for point in curve)
    with np.load(outputs["attention"]) as maps:
        assert maps["weights"].shape[2:] == (len(maps["query_tokens"]), len(maps["key_tokens"]))
        assert np.allclose(maps["weights"].sum(-1), 1, atol=1e-5)
    with np.load(outputs["positions"]) as tables:
        assert tables["sinusoidal"].shape == (15, 8)


@pytest.mark.parametrize(
    ("settings", "spec", "line"),
    [
        (PrepareSpec, {"longest": 3}, "longest: expected at least shortest 4, found 3"),
        (PrepareSpec, {"longest": 1001}, "longest: expected"),
        (PrepareSpec, {"test": 1}, "test: expected"),
        (TrainSpec, {"model": {"n_heads": 5}}, "model.d_model: .*n_heads 5, found 64"),
        (TrainSpec, {"model": {"n_heads": 1, "d_model": 7}}, "model.d_model: .*multiple of 2"),
        (TrainSpec, {"steps": 0}, "steps: expected"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(settings, spec, line):
    with pytest.raises(InputError, match=line):
        read_spec(json.dumps(spec), settings)
    assert read_spec("{}", settings)
