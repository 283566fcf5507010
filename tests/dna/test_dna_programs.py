"""The programs of the room: prepare, train, stop early, evaluate."""

import csv
import json

import numpy as np
import pytest
import torch
from tiny_trainings import call

from dna import evaluate as evaluate_dna
from dna import prepare as prepare_dna
from dna import scoring
from dna import train as train_dna
from dna.model import build
from dna.settings import Dataset, Model, PrepareSpec, Section, TrainSpec
from pipeline.atomic import write_npz
from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.settings import read_spec
from pipeline.weights import load_weights
from torch_nn.dna_tokens import BytePairs

MODEL = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_layers": 1, "pooling": "cls", "stem_kernel": 3}
TRAINING = {"model": MODEL, "epochs": 3, "batch_size": 16, "largest_shift": 1}


@pytest.fixture(autouse=True)
def leave_torch_as_it_was():
    threads, algorithms = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(algorithms)


@pytest.fixture
def data(monkeypatch, tmp_path):
    """Options of 90 + 30 + 40 sequences with planted motifs."""
    paths = {"data": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    spec = {"sizes": [90, 30, 40], "length": 16, "place": 4}
    call(monkeypatch, prepare_dna, spec, out=paths["data"], meta=paths["meta"])
    return paths


def train(monkeypatch, data, folder, **changes):
    """Options of one training's weights and history, and the history."""
    folder.mkdir(exist_ok=True)
    out = {"weights": folder / "model.safetensors", "history": folder / "history.json"}
    call(monkeypatch, train_dna, TRAINING | changes, **data, **out)
    return out, json.loads(out["history"].read_text())


def evaluate(monkeypatch, data, trainings, folder, **changes):
    """The files that an evaluation writes, by name, and its rows by what they are."""
    names = {"metrics": "json", "predictions": "csv", "submission": "csv", "attention": "npz"}
    names |= {"curves": "json"}
    outputs = {name: folder / f"{name}.{ending}" for name, ending in names.items()}
    call(
        monkeypatch,
        evaluate_dna,
        changes,
        **data,
        weights=[out["weights"] for out in trainings],
        histories=[out["history"] for out in trainings],
        **outputs,
    )
    rows = json.loads(outputs["metrics"].read_text())["rows"]
    main = rows[-1]["views"]
    found = {
        (r["split"], r["subset"], r["members"], r["metric"]): r for r in rows if r["views"] == main
    }
    assert len(found) == len(rows) // len({r["views"] for r in rows})
    return outputs, found


@pytest.mark.slow
def test_from_nothing_to_submission(monkeypatch, data, tmp_path):
    seeds = [train(monkeypatch, data, tmp_path / f"seed{seed}", seed=seed) for seed in (1, 2)]
    outputs, rows = evaluate(monkeypatch, data, [out for out, _ in seeds], tmp_path)
    submission = list(csv.reader(outputs["submission"].open()))
    assert submission[0] == ["id", "label"] and len(submission) == 41
    predictions = list(csv.DictReader(outputs["predictions"].open()))
    assert [[p["id"], p["prediction"]] for p in predictions] == submission[1:]
    sums = [float(p["p_0"]) + float(p["p_1"]) for p in predictions]
    assert sums == pytest.approx([1] * 40, abs=2e-6)  # six decimals each
    splits, members = ("val", "test"), ("1", "2 seeds")
    metrics = ("mcc", "accuracy", "roc_auc", "average_precision", "calibration_error")
    assert set(rows) == {(s, "all", m, k) for s in splits for m in members for k in metrics}
    for row in rows.values():
        assert row["model"] == "Transformer encoder" and row["task"] == "dna_classification"
        assert (row["inputs"], row["views"]) == ("nucleotides", "none")
    share = np.mean([p["label"] == p["prediction"] for p in predictions])
    together = rows["test", "all", "2 seeds", "accuracy"]
    assert together["value"] == pytest.approx(share)
    assert together["ci_low"] <= share <= together["ci_high"]
    alone = rows["test", "all", "1", "accuracy"]
    assert alone["n_seeds"] == 2 and together["n_seeds"] == 1
    assert together["parameters"] == 2 * alone["parameters"] == 2 * seeds[0][1]["parameters"]
    curves = json.loads(outputs["curves"].read_text())
    assert (curves["members"], curves["views"], curves["examples"]) == ("2 seeds", "none", 40)
    ((roc,), (recall,)) = (curves[name] for name in ("roc", "precision_recall"))
    assert roc["class"] == recall["class"] == "1" and roc["false"][-1] == roc["true"][-1] == 1
    assert roc["auc"] == rows["test", "all", "2 seeds", "roc_auc"]["value"]
    assert recall["average_precision"] == pytest.approx(
        rows["test", "all", "2 seeds", "average_precision"]["value"]
    )
    assert recall["share"] == np.mean([p["label"] == "1" for p in predictions])
    assert sum(curves["reliability"]["examples"]) == 40
    flops = [history["train_flops"] for _, history in seeds]
    assert (alone["train_flops"], together["train_flops"]) == (np.mean(flops), sum(flops))
    notes = json.loads(outputs["metrics"].read_text())["notes"]
    assert 0.5 < notes["bayes_accuracy"] < 1 and notes["test_rows_in_train_or_val"] == 0
    with np.load(outputs["attention"]) as maps:
        assert maps["weights"].shape == (1, 2, 17, 17) and maps["query_tokens"][0] == "[CLS]"
        assert np.allclose(maps["weights"].sum(-1), 1, atol=1e-5)


@pytest.mark.slow
def test_what_is_kept_is_the_epoch_with_the_lowest_validation_loss(monkeypatch, data, tmp_path):
    trained, history = train(monkeypatch, data, tmp_path / "a", both_strands=True)
    _, rows = evaluate(monkeypatch, data, [trained], tmp_path)
    best = min(history["curve"], key=lambda point: point["val_loss"])
    assert rows["val", "all", "1", "accuracy"]["value"] == pytest.approx(best["val_accuracy"])
    assert rows["val", "all", "1", "mcc"]["value"] == pytest.approx(best["val_mcc"])


def test_byte_pairs_are_learned_on_train_and_kept_in_the_weights(monkeypatch, data, tmp_path):
    model = {**MODEL, "tokens": "byte pairs", "merges": 4}
    out, _ = train(monkeypatch, data, tmp_path / "run", model=model, epochs=1)
    tokens = load_weights(out["weights"], build(Model(**model), 16, 2)).tokens
    expected = BytePairs(4)
    expected.learn(torch.from_numpy(read_npz(data["data"])["train_x"]))
    assert torch.equal(tokens.merges, expected.merges) and (tokens.merges >= 0).all()


def flops_of_an_epoch():
    """By hand: a multiplication and an addition each, backward twice forward, 90 sequences."""
    channels, wide, time = 8, 8, 16 + 1  # the letters and [CLS]
    stem = 16 * channels * 3 * channels
    layer = time * (4 * channels**2 + 2 * channels * wide) + 2 * time**2 * channels
    head = channels * 2
    return 2 * (stem + layer + head) * 3 * 90


def test_training_ends_early_after_patience(monkeypatch, data, tmp_path):
    losses = iter([3.0, 1.0, 2.0, 1.0, 0.5])
    monkeypatch.setattr(train_dna, "nll_loss", lambda *_: torch.tensor(next(losses)))
    _, history = train(monkeypatch, data, tmp_path / "early", epochs=5, patience=2)
    assert [point["val_loss"] for point in history["curve"]] == [3, 1, 2, 1]
    assert history["train_flops"] == 4 * flops_of_an_epoch()


def test_a_test_row_that_was_trained_on_is_left_out_of_a_further_row(monkeypatch, data, tmp_path):
    arrays = read_npz(data["data"])
    arrays["test_x"][:3], arrays["test_y"][:3] = arrays["train_x"][0], 1 - arrays["train_y"][0]
    arrays["test_x"][3] = arrays["val_x"][0]
    write_npz(data["data"], **arrays)
    outputs, rows = evaluate(
        monkeypatch, data, [train(monkeypatch, data, tmp_path / "a")[0]], tmp_path
    )
    notes = json.loads(outputs["metrics"].read_text())["notes"]
    assert notes["test_rows_in_train_or_val"] == 4
    predictions = list(csv.DictReader(outputs["predictions"].open()))
    hits = np.array([p["label"] == p["prediction"] for p in predictions])
    assert rows["test", "all", "1", "accuracy"]["value"] == pytest.approx(hits.mean())
    unseen = rows["test", "not in train", "1", "accuracy"]
    assert unseen["value"] == pytest.approx(hits[4:].mean())
    assert ("val", "not in train", "1", "accuracy") not in rows


@pytest.mark.parametrize("both", [True, False])
def test_reverse_complements_of_training_rows_are_known_where_they_are_trained_on(
    monkeypatch, tmp_path, both
):
    random = np.random.default_rng(0)
    strand = str.maketrans("ACGT", "TGCA")

    def rows(n):
        return [("".join(random.choice([*"ACGT"], 12)), i % 2) for i in range(n)]

    def write(name, rows):
        lines = [f"{sequence},{label}" for sequence, label in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(["sequence,label", *lines]))

    train_rows, new = rows(40), rows(6)
    write("train", train_rows)
    write("dev", rows(10))
    write("test", [(s.translate(strand)[::-1], y) for s, y in train_rows[:9]] + new)
    data = {"data": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    spec = {"dataset": "gue/human_tf_0", "both_strands": both}
    call(monkeypatch, prepare_dna, spec, raw=tmp_path, out=data["data"], meta=data["meta"])
    meta = json.loads(data["meta"].read_text())
    assert meta["reverse_complements"]["test_in_train"] == 9
    assert meta["repeated_rows"]["test_in_train"] == 9 * both
    changes = {"largest_shift": 0, "epochs": 1, "both_strands": both}
    trained, _ = train(monkeypatch, data, tmp_path / "run", **changes)
    outputs, found = evaluate(monkeypatch, data, [trained], tmp_path)
    metrics = json.loads(outputs["metrics"].read_text())
    assert metrics["notes"]["test_rows_in_train_or_val"] == 9 * both
    assert metrics["notes"]["reverse_complements"] == meta["reverse_complements"]
    views = {"none", "both strands"} if both else {"none"}
    assert {(r["views"], r["subset"]) for r in metrics["rows"] if r["split"] == "test"} == {
        (view, subset)
        for view in views
        for subset in (["all", "not in train"] if both else ["all"])
    }
    assert (("test", "not in train", "1", "mcc") in found) == both


@pytest.mark.parametrize(("new", "says"), [(0, "no rows: no metric"), (1, "1 row(s), all of one")])
def test_a_subset_of_no_row_or_one_is_said_to_have_no_metric(
    monkeypatch, data, tmp_path, capsys, new, says
):
    arrays = read_npz(data["data"])
    arrays["test_x"][new:] = arrays["train_x"][: len(arrays["test_x"]) - new]
    write_npz(data["data"], **arrays)
    seeds = [train(monkeypatch, data, tmp_path / f"s{seed}", seed=seed)[0] for seed in (1, 2)]
    outputs, rows = evaluate(monkeypatch, data, seeds, tmp_path)
    notes = json.loads(outputs["metrics"].read_text())["notes"]
    assert f"test, not in train: {says}" in notes["not_measured"]
    assert notes["not_measured"] in capsys.readouterr().out
    of_subset = {key[3] for key in rows if key[1] == "not in train"}
    assert of_subset == ({"accuracy", "calibration_error"} if new else set())


def test_labels_of_one_class_have_no_mcc(monkeypatch, data, tmp_path):
    arrays = read_npz(data["data"])
    arrays["val_y"][:] = 1
    write_npz(data["data"], **arrays)
    trained, history = train(monkeypatch, data, tmp_path / "run")
    assert "val_mcc" not in history["curve"][0] and "val_accuracy" in history["curve"][0]
    outputs, rows = evaluate(monkeypatch, data, [trained], tmp_path)
    assert ("val", "all", "1", "mcc") not in rows and ("test", "all", "1", "mcc") in rows
    assert ("val", "all", "1", "roc_auc") not in rows
    notes = json.loads(outputs["metrics"].read_text())["notes"]
    assert notes["not_measured"] == "val, all: 30 row(s), all of one class: no MCC"


def test_a_split_without_rows_is_refused(monkeypatch, tmp_path):
    x, y = np.zeros((2001, 60), np.uint8), np.zeros(2001, np.int64)
    monkeypatch.setattr(prepare_dna.statlog, "read_statlog", lambda path: (x, y))
    (tmp_path / "DNA.rda").write_text("")
    spec = {"dataset": "statlog_dna", "val_share": 0.0}
    with pytest.raises(InputError, match="statlog_dna, val: expected rows, found none"):
        call(monkeypatch, prepare_dna, spec, raw=tmp_path, out=tmp_path / "x", meta=tmp_path / "m")


def test_labels_beyond_the_classes_and_missing_files(monkeypatch, tmp_path):
    outputs = {"out": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}

    def prepare():
        spec = {"dataset": "gue/prom_core_tata"}
        call(monkeypatch, prepare_dna, spec, raw=tmp_path, **outputs)

    for name in ("train", "dev"):
        (tmp_path / f"{name}.csv").write_text("sequence,label\nACGT,1\nAC,0\n")
    with pytest.raises(InputError, match=r"expected test\.csv"):
        prepare()
    (tmp_path / "test.csv").write_text("sequence,label\nACGTA,2\n")
    with pytest.raises(InputError, match="test: expected labels below 2"):
        prepare()
    assert not outputs["out"].exists()
    (tmp_path / "test.csv").write_text("sequence,label\nACGTA,1\nACGT,0\n")
    prepare()
    arrays = read_npz(outputs["out"])
    assert arrays["train_x"].tolist() == [[0, 1, 2, 3, 5], [0, 1, 5, 5, 5]]
    assert arrays["val_x"].tolist() == arrays["train_x"].tolist()
    repeated = json.loads(outputs["meta"].read_text())["repeated_rows"]
    assert repeated == {"val_in_train": 2, "test_in_train": 1, "test_in_val": 1}


def test_a_loss_that_is_no_number_stops_the_training(monkeypatch, data, tmp_path):
    changes = {"epochs": 50, "batch_size": 8, "lr": 1e38, "weight_decay": 1e5}
    with pytest.raises(InputError, match=r"step \d+, lr .*finite loss.*found nan"):
        train(monkeypatch, data, tmp_path, **changes)
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("settings", "spec", "line"),
    [
        (PrepareSpec, {"place": 28}, "motifs: expected one length, at most .* found TATAAA"),
        (PrepareSpec, {"motifs": ["TATAAA", "CACG"]}, "motifs: expected one length"),
        (PrepareSpec, {"classes": ["a", "b", "c"]}, "motifs: expected one for each of the 3"),
        (PrepareSpec, {"motifs": ["TATAAX", "CACGTG"]}, r"motifs\.0: .*found \"TATAAX\""),
        (PrepareSpec, {"motifs": ["CACGTG"] * 2}, "motifs: expected each entry once"),
        (PrepareSpec, {"sizes": [3, 4]}, "sizes: expected"),
        (PrepareSpec, {"noise": 0.8}, "noise: expected"),
        (TrainSpec, {"model": {"n_heads": 5}}, "model.d_model: .*n_heads 5, found 48"),
        (TrainSpec, {"model": {"stem_kernel": 4}}, "model.stem_kernel: .*odd.*, found 4"),
        (TrainSpec, {"model": {"stem_pools": []}}, "model.stem_pools: expected"),
        (TrainSpec, {"model": {"stem_kernel": 0, "token_width": 8}}, "model.token_width: expected"),
        (TrainSpec, {"model": {"positions": "rotary", "n_heads": 16}}, "model.d_model: .*even"),
        (TrainSpec, {"model": {"tokens": "words"}}, "model.tokens: expected"),
        (
            Dataset,
            {"model": {"tokens": "k-mers"}, "pretraining": {"epochs": 1}},
            "pretraining.epochs: expected 0 for k-mers",
        ),
        (TrainSpec, {"epochs": 2.0}, "epochs: expected .*, found 2.0"),
        (TrainSpec, {"seed": 2**32}, "seed: expected"),
        (TrainSpec, {"lr": float("nan")}, "lr: expected"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(settings, spec, line):
    with pytest.raises(InputError, match=line):
        read_spec(json.dumps(spec), settings)
    assert read_spec("{}", settings)


def test_the_section_checks_the_motifs_too():
    section = {"datasets": ["planted_motifs"], "seeds": [1], "threads": 1}
    classes = {"planted_motifs": {"data": {"classes": ["a", "b", "c"]}}}
    line = r"settings\.planted_motifs\.data\.motifs: expected one for each of the 3 classes"
    with pytest.raises(InputError, match=line):
        read_spec(json.dumps({**section, "settings": classes}), Section)
    of_another = {"statlog_dna": classes["planted_motifs"]}
    assert read_spec(json.dumps({**section, "settings": of_another}), Section)


def test_perfect_scores_keep_an_interval():
    label = np.array([0, 1] * 20)
    p = np.eye(2)[label]
    about = {"task": "t", "dataset": "d", "model": "m", "inputs": "nucleotides", "split": "test"}
    about |= {"implementation": "torch", "parameters": 1, "data_sha256": "0"}
    about |= {"train_seconds": 1.0, "train_flops": 1.0}
    about["provenance"] = {"threads": 1, "device": "cpu", "commit": "0"}
    found = {r["metric"]: r for r in scoring.score(label, [p, p], **about)}
    low, high = found["accuracy"]["ci_low"], found["accuracy"]["ci_high"]
    # Wilson at 40 of 40: low = 1 / (1 + 1.96^2 / 40).
    assert found["accuracy"]["value"] == high == 1 and low == pytest.approx(0.9124, abs=1e-4)
    # Resampling finds nothing but 100.
    assert found["mcc"]["value"] == pytest.approx(100) and found["mcc"]["ci_low"] is None
