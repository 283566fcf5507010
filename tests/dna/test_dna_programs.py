"""The programs of DNA and translation: prepare, train, be killed, resume, evaluate."""

import csv
import json
import sys

import numpy as np
import pytest
import torch

from dna import evaluate as evaluate_dna
from dna import prepare as prepare_dna
from dna import scores as dna_scores
from dna import train as train_dna
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from seq2seq import evaluate as evaluate_seq2seq
from seq2seq import prepare as prepare_genetic_code
from seq2seq import train as train_seq2seq

DNA_MODEL = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_layers": 1, "pooling": "cls"}
SEQ_MODEL = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_encoder_layers": 1, "n_decoder_layers": 1}


@pytest.fixture(autouse=True)
def leave_torch_as_it_was():
    threads, algorithms = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(algorithms)


@pytest.fixture
def call(monkeypatch):
    def run(program, spec, **paths):
        argv = ["program", "--spec", json.dumps(spec)]
        for name, path in paths.items():
            many = path if isinstance(path, list) else [path]
            argv += [f"--{name}", *map(str, many)]
        monkeypatch.setattr(sys, "argv", argv)
        program.main()

    return run


class Killed(Exception):
    pass


def killed_after(saves, monkeypatch):
    """Let the program die right after it has saved its n-th checkpoint."""
    real, count = Checkpoint.save, iter(range(1, 100))

    def save(self, arrays, meta):
        real(self, arrays, meta)
        if next(count) == saves:
            raise Killed

    monkeypatch.setattr(Checkpoint, "save", save)


def same_but_for_time(a, b):
    a, b = (json.loads(path.read_text()) for path in (a, b))
    return {**a, "seconds": 0, "provenance": 0} == {**b, "seconds": 0, "provenance": 0}


def test_dna_from_nothing_to_submission(call, tmp_path, monkeypatch):
    data = {"data": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    call(
        prepare_dna,
        {"sizes": [90, 30, 40], "length": 16, "place": 4},
        out=data["data"],
        meta=data["meta"],
    )
    spec = {"model": DNA_MODEL, "epochs": 3, "batch_size": 16, "largest_shift": 1}
    monkeypatch.setattr(train_dna, "SECONDS_BETWEEN_CHECKPOINTS", -1)
    results = []
    for name, saves in (("whole", 99), ("resumed", 2)):
        out = {
            "weights": tmp_path / f"{name}.safetensors",
            "history": tmp_path / f"{name}.json",
            "checkpoint": tmp_path / f"{name}.checkpoint",
        }
        with monkeypatch.context() as patch:
            killed_after(saves, patch)
            try:
                call(train_dna, spec, **data, **out)
            except Killed:
                assert saves == 2 and not out["weights"].exists()
        if saves == 2:
            call(train_dna, spec, **data, **out)
        assert not out["checkpoint"].exists()
        results.append(out)
    whole, resumed = results
    assert whole["weights"].read_bytes() == resumed["weights"].read_bytes()
    assert same_but_for_time(whole["history"], resumed["history"])

    outputs = {
        "metrics": tmp_path / "metrics.json",
        "predictions": tmp_path / "predictions.csv",
        "submission": tmp_path / "submission.csv",
        "attention": tmp_path / "attention.npz",
    }
    models = {
        "weights": [whole["weights"], resumed["weights"]],
        "histories": [whole["history"], resumed["history"]],
    }
    call(evaluate_dna, {"model": DNA_MODEL}, **data, **models, **outputs)
    submission = list(csv.reader(outputs["submission"].open()))
    assert submission[0] == ["id", "label"] and len(submission) == 41
    predictions = list(csv.DictReader(outputs["predictions"].open()))
    assert [[p["id"], p["prediction"]] for p in predictions] == submission[1:]
    assert all(float(p["p_0"]) + float(p["p_1"]) == pytest.approx(1) for p in predictions)
    metrics = json.loads(outputs["metrics"].read_text())
    found = {(r["model"], r["metric"], r["split"]): r for r in metrics["rows"]}
    assert len(found) == len(metrics["rows"]) == 8
    share = np.mean([p["label"] == p["prediction"] for p in predictions])
    row = found["Transformer encoder, ensemble of 2 seeds", "accuracy", "test"]
    assert row["value"] == pytest.approx(share) and row["ci_low"] <= share <= row["ci_high"]
    assert found["Transformer encoder", "mcc", "test"]["n_seeds"] == 2
    assert 0.5 < metrics["notes"]["bayes_accuracy"] < 1
    with np.load(outputs["attention"]) as maps:
        assert maps["weights"].shape == (1, 2, 17, 17) and maps["query_tokens"][0] == "[CLS]"
        assert np.allclose(maps["weights"].sum(-1), 1, atol=1e-5)


def test_labels_beyond_the_classes_and_missing_files(call, tmp_path):
    outputs = {"out": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    spec = {"dataset": "gue/prom_core_tata"}
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text("sequence,label\nACGT,1\nAC,0\n")
    with pytest.raises(InputError, match="expected test.csv"):
        call(prepare_dna, spec, raw=tmp_path, **outputs)
    (tmp_path / "test.csv").write_text("sequence,label\nACGTA,2\n")
    with pytest.raises(InputError, match="test: expected labels below 2"):
        call(prepare_dna, spec, raw=tmp_path, **outputs)
    assert not outputs["out"].exists()
    (tmp_path / "test.csv").write_text("sequence,label\nACGTA,1\nACGT,0\n")
    call(prepare_dna, spec, raw=tmp_path, **outputs)
    with np.load(outputs["out"]) as arrays:
        assert arrays["train_x"].tolist() == [[0, 1, 2, 3, 5], [0, 1, 5, 5, 5]]
    assert json.loads(outputs["meta"].read_text())["repeated_rows"]["test_in_train"] == 1


def test_translation_from_nothing_to_attention(call, tmp_path, monkeypatch):
    data, meta = tmp_path / "x.npz", tmp_path / "meta.json"
    sizes = {"train": 120, "val": 20, "test": 30, "shortest": 2, "longest": 4}
    call(prepare_genetic_code, sizes, out=data, meta=meta)
    with np.load(data) as arrays:
        rows = [{r.tobytes() for r in arrays[f"{s}_y"]} for s in ("train", "val", "test")]
        assert len(set.union(*rows)) == 170
    spec = {"model": SEQ_MODEL, "steps": 12, "batch_size": 16, "evaluate_every": 4}
    results = []
    for name, saves in (("whole", 99), ("resumed", 1)):
        out = {
            "weights": tmp_path / f"{name}.safetensors",
            "history": tmp_path / f"{name}.json",
            "checkpoint": tmp_path / f"{name}.checkpoint",
        }
        with monkeypatch.context() as patch:
            killed_after(saves, patch)
            try:
                call(train_seq2seq, spec, data=data, **out)
            except Killed:
                assert saves == 1 and not out["weights"].exists()
        if saves == 1:
            call(train_seq2seq, spec, data=data, **out)
        results.append(out)
    whole, resumed = results
    assert whole["weights"].read_bytes() == resumed["weights"].read_bytes()
    assert same_but_for_time(whole["history"], resumed["history"])

    outputs = {name: tmp_path / f"{name}.out" for name in ("metrics", "predictions")}
    outputs |= {name: tmp_path / f"{name}.npz" for name in ("attention", "positions")}
    models = {"weights": [whole["weights"]], "histories": [whole["history"]]}
    call(evaluate_seq2seq, {"model": SEQ_MODEL}, data=data, meta=meta, **models, **outputs)
    table = list(csv.DictReader(outputs["predictions"].open()))
    exact = np.mean([row["label"] == row["prediction"] for row in table])
    metrics = json.loads(outputs["metrics"].read_text())["rows"]
    found = {(r["metric"], r["split"]): r["value"] for r in metrics}
    assert len(table) == 30 and found["exact_match", "test"] == pytest.approx(exact)
    assert len(found) == 4
    curve = json.loads(whole["history"].read_text())["curve"]
    assert found["exact_match", "val"] == max(point["val_exact_match"] for point in curve)
    assert curve[-1]["lr"] == pytest.approx(0.01 * train_seq2seq.Spec().lr)
    with np.load(outputs["attention"]) as maps:
        assert maps["weights"].shape[2:] == (len(maps["query_tokens"]), len(maps["key_tokens"]))
        assert np.allclose(maps["weights"].sum(-1), 1, atol=1e-5)
    with np.load(outputs["positions"]) as tables:
        assert tables["sinusoidal"].shape == (15, 8)


def test_a_loss_that_is_no_number_stops_the_training(call, tmp_path):
    data = {"data": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    call(prepare_dna, {"sizes": [40, 10, 10]}, out=data["data"], meta=data["meta"])
    spec = {"model": DNA_MODEL, "epochs": 50, "batch_size": 8, "lr": 1e38, "weight_decay": 1e5}
    out = {"weights": tmp_path / "w.safetensors", "history": tmp_path / "h.json"}
    with pytest.raises(InputError, match=r"step \d+, lr .*loss nan"):
        call(train_dna, spec, **data, **out)
    assert not out["weights"].exists()


@pytest.mark.parametrize("change", [{"place": 28}, {"motifs": ["TATAAA", "CACG"]}])
def test_motifs_that_do_not_fit_are_one_line(call, tmp_path, change):
    out = {"out": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    with pytest.raises(
        InputError, match=r"expected motifs of one length, at most .*, found TATAAA"
    ):
        call(prepare_dna, {"sizes": [40, 10, 10], **change}, **out)
    assert not out["out"].exists()


def test_perfect_scores_keep_an_interval():
    label = np.array([0, 1] * 20)
    about = {"task": "t", "dataset": "d", "model": "m", "implementation": "torch"}
    about |= {"split": "test", "parameters": 1, "train_seconds": 1.0, "data_sha256": "0"}
    about["provenance"] = {"threads": 1, "device": "cpu", "commit": "0"}
    found = {r["metric"]: r for r in dna_scores.score(label, [label, label], **about)}
    low, high = found["accuracy"]["ci_low"], found["accuracy"]["ci_high"]
    # Wilson at 40 of 40: low = 1 / (1 + 1.96^2 / 40).
    assert found["accuracy"]["value"] == high == 1 and low == pytest.approx(0.9124, abs=1e-4)
