"""One's own sequences from a file to a model that is used: collect, prepare, train, predict ..."""

import csv
import json
import sys
import tracemalloc

import numpy as np
import pytest
import torch
import yaml
from tiny_trainings import call

from dna import choose, evaluate, explain, find_motifs, predict, prepare, summarise, train
from dna.choice import chosen
from dna.own_sequences import collect
from dna.settings import Dataset, Stored, TrainSpec
from dna.stored_model import load
from dna.train import class_weights
from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.settings import read_spec
from pipeline.weights import read_metadata

pytestmark = pytest.mark.slow

MOTIF = "CACGTG"


def write_set(path, rows, length=40):
    """Sequences of which those of class `site` have the motif at a random place; ids are words."""
    random = np.random.default_rng(5)
    with path.open("w") as out:
        out.write("name,sequence,kind\n")
        for number in range(rows):
            letters = random.choice([*"ACGT"], length - number % 3)
            at = random.integers(length - 8)
            if number % 2:
                letters[at : at + 6] = [*MOTIF]
            out.write(f"row{number},{''.join(letters)},{['none', 'site'][number % 2]}\n")
    return path


def default_model(repository):
    """Config.yaml's candidate for a motif anywhere, and how one's own sequences are trained on."""
    text = (repository / "config" / "config.yaml").read_text(encoding="utf-8")
    own = yaml.safe_load(text)["dna"]["settings"]["own"]
    return own["choice"]["candidates"][1], own["training"]


@pytest.fixture(scope="module")
def trained(repository, tmp_path_factory):
    """The folder in which a set of one's own was prepared and the default model trained on it."""
    folder = tmp_path_factory.mktemp("own")
    raw = folder / "raw" / "sequences.jsonl"
    _, changes = collect(write_set(folder / "set.csv", 800), raw)
    candidate, training = default_model(repository)
    with pytest.MonkeyPatch.context() as patch:
        spec = {"dataset": "own/set", "both_strands": True, **changes["data"]}
        spec["about"] = {"title": "set.csv", "description": "Your own."}
        data = {"data": folder / "x.npz", "meta": folder / "meta.json"}
        call(patch, prepare, spec, raw=raw.parent, out=data["data"], meta=data["meta"])
        out = {"weights": folder / "model.safetensors", "history": folder / "history.json"}
        call(patch, train, {**training, **candidate, "epochs": 10}, **data, **out)
        names = {"metrics": "json", "predictions": "csv", "submission": "csv"}
        names |= {"attention": "npz", "curves": "json"}
        files = {name: folder / f"{name}.{ending}" for name, ending in names.items()}
        inputs = {**data, "weights": out["weights"], "histories": out["history"]}
        call(patch, evaluate, {}, **inputs, **files)
    return folder


def people_call(monkeypatch, program, *words):
    monkeypatch.setattr(sys, "argv", ["program", *map(str, words)])
    program.main()


def table(path):
    with path.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_the_default_learns_a_motif_at_any_place(trained):
    rows = json.loads((trained / "metrics.json").read_text())["rows"]
    (mcc,) = [
        row for row in rows if (row["metric"], row["split"]) == ("mcc", "test")
        if (row["views"], row["subset"]) == ("both strands", "all")
    ]  # fmt: skip
    assert mcc["value"] > 60 and mcc["ci_low"] > 40


def test_predictions_have_the_ids_and_the_words(trained):
    rows = table(trained / "predictions.csv")
    ids = read_npz(trained / "x.npz")["test_id"].tolist()
    assert [row["id"] for row in rows] == ids and ids[0].startswith("row")
    assert {row["label"] for row in rows} == {"none", "site"}
    for row in rows:
        assert (row["prediction"] == "site") == (float(row["p_site"]) > 0.5)
        assert (row["label"] == "site") == bool(int(row["id"][3:]) % 2)
    submission = table(trained / "submission.csv")
    assert [(r["id"], r["label"]) for r in submission] == [(r["id"], r["prediction"]) for r in rows]


def test_the_file_says_what_the_model_is(trained):
    about = read_metadata(trained / "model.safetensors", Stored)
    assert about.classes == ["none", "site"] and about.length == 40 and about.both_strands
    assert (about.dataset, about.title, about.model.pooling) == ("own/set", "set.csv", "max")


@pytest.mark.parametrize("held", [4096, 7])
def test_new_sequences_get_the_answers_of_the_evaluation(monkeypatch, trained, tmp_path, held):
    monkeypatch.setattr(predict, "HELD", held)
    known = {row["id"]: row for row in table(trained / "predictions.csv")}
    lines = [line.split(",") for line in (trained / "set.csv").read_text().splitlines()[1:]]
    chosen = [(name, sequence) for name, sequence, _ in lines if name in known][::-1]
    new = tmp_path / "new.fasta"
    new.write_text("".join(f">{name} more\n{s[:20]}\n{s[20:]}\n" for name, s in chosen))
    people_call(
        monkeypatch, predict, trained / "model.safetensors", new, "--out", tmp_path / "scores.csv"
    )
    found = table(tmp_path / "scores.csv")
    assert [row["id"] for row in found] == [name for name, _ in chosen]
    for row in found:
        assert row["prediction"] == known[row["id"]]["prediction"]
        for name in ("p_none", "p_site"):
            assert float(row[name]) == pytest.approx(float(known[row["id"]][name]), abs=1e-5)


def test_a_longer_sequence_is_read_in_its_middle(monkeypatch, trained, tmp_path, capsys):
    inner = "ACGT" * 10
    (tmp_path / "new.csv").write_text(f"sequence\n{inner}\n{'G' * 30}{inner}{'C' * 30}\n")
    monkeypatch.chdir(tmp_path)
    people_call(monkeypatch, predict, trained / "model.safetensors", "new.csv")
    first, second = table(tmp_path / "new.csv.scores.csv")
    assert first["id"] == "1" and first["p_site"] == second["p_site"]
    assert "1 longer than 40 letters: their middle was read" in capsys.readouterr().out


def test_a_model_of_places_refuses_longer_sequences(trained):
    about = read_metadata(trained / "model.safetensors", Stored)
    flat = about.model_copy(update={"model": about.model.model_copy(update={"pooling": "flatten"})})
    short, long = ("a", np.zeros(40, np.uint8)), ("b", np.zeros(41, np.uint8))
    assert [cut for *_, cut in predict.fitting([short], flat)] == [False]
    with pytest.raises(InputError, match="^b: expected at most 40 letters, found 41"):
        list(predict.fitting([short, long], flat))


def test_what_is_asked_for_must_be_there(monkeypatch, trained, tmp_path):
    with pytest.raises(InputError, match="^FILE: no such file: nowhere.fasta"):
        people_call(monkeypatch, predict, trained / "model.safetensors", "nowhere.fasta")
    (tmp_path / "new.csv").write_text("sequence\nACGT\nACXT\n")
    out = tmp_path / "scores.csv"
    with pytest.raises(InputError, match="new.csv, line 3: .*'X' as letter 3"):
        words = trained / "model.safetensors", tmp_path / "new.csv", "--out", out
        people_call(monkeypatch, predict, *words)
    assert not out.exists()


def test_what_mattered_is_the_motif(monkeypatch, trained, tmp_path):
    before, after = "TATCTTAAGCTT", "AAGTCATTCAGTTTAAGAAC"
    (tmp_path / "new.fasta").write_text(f">a\n{before}{MOTIF}{after}\n>b\n{before}N{after}\n")
    outputs = {"table": tmp_path / "effects.csv", "picture": tmp_path / "effects.svg"}
    words = [word for name, path in outputs.items() for word in (f"--{name}", path)]
    people_call(monkeypatch, explain, trained / "model.safetensors", tmp_path / "new.fasta", *words)
    rows = table(outputs["table"])
    assert [(r["id"], r["position"], r["letter"]) for r in rows[:2]] == [
        ("a", "1", "T"), ("a", "2", "A")
    ]  # fmt: skip
    of_a = np.array([float(row["mean_effect"]) for row in rows if row["id"] == "a"])
    place = slice(len(before), len(before) + len(MOTIF))
    outside = np.delete(of_a, np.arange(place.start, place.stop))
    assert rows[0]["prediction"] == "site" and of_a[place].min() > outside.max() / 2
    assert of_a[place].mean() > 4 * abs(outside.mean())
    unknown = [row for row in rows if row["letter"] == "N"]
    assert [row["mean_effect"] for row in unknown] == ["0.0000"]
    assert all(row["strongest_letter"] != row["letter"] for row in rows)
    first = outputs["picture"].read_bytes()
    people_call(monkeypatch, explain, trained / "model.safetensors", tmp_path / "new.fasta", *words)
    assert outputs["picture"].read_bytes() == first and b"<svg" in first


def test_the_planted_motif_is_found_and_named(monkeypatch, trained, tmp_path):
    inputs = {"data": trained / "x.npz", "meta": trained / "meta.json"}
    inputs |= {"weights": trained / "model.safetensors"}
    found = []
    for name in ("a", "b"):
        call(monkeypatch, find_motifs, {"sequences": 25}, **inputs, out=tmp_path / name)
        found.append((tmp_path / name).read_text())
    assert found[0] == found[1]
    told = json.loads(found[0])
    assert [one["sequences"] for one in told["read"]] == [25, 25]
    motif = next(one for one in told["motifs"] if one["class"] == "site")
    inner = np.array(motif["letters"])[motif["place"] :][: motif["length"]]
    assert "".join("ACGT"[k] for k in inner.argmax(axis=1)) == MOTIF
    assert motif["known"]["consensus"] == MOTIF and motif["sequences"] > 0.7 * motif["of"]
    assert motif["in_class"] > 0.8 > 0.2 > motif["elsewhere"]
    number = told["motifs"].index(motif)
    profile = told["profiles"][number]
    begin, end = next(mark[1:] for mark in profile["marks"] if mark[0] == number)
    assert profile["letters"][begin:end] == MOTIF
    effects = np.array(profile["effects"])
    assert effects[begin:end].mean() > 4 * abs(np.delete(effects, range(begin, end)).mean())


def test_memory_does_not_grow_with_the_file(monkeypatch, trained, tmp_path):
    """Neither with the number of sequences nor with what is cut off them."""
    monkeypatch.setattr(predict, "HELD", 50)
    monkeypatch.setattr(predict, "answers", lambda model, x, strands: np.zeros((len(x), 2)))
    about = read_metadata(trained / "model.safetensors", Stored)
    peaks = []
    for number in (100, 400):
        path = tmp_path / "new.fasta"
        path.write_text("".join(f">{k}\n{'ACGT' * 5000}\n" for k in range(number)))
        tracemalloc.start()
        assert predict.write_scores(None, about, path, tmp_path / "out", None) == (number, number)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] and peaks[1] < 50 * 20_000


def test_a_model_of_other_data_is_refused(monkeypatch, trained, tmp_path):
    meta = json.loads((trained / "meta.json").read_text())
    for name, value in {"classes": ["site", "none"], "data_sha256": "0" * 64}.items():
        (tmp_path / "meta.json").write_text(json.dumps(meta | {name: value}))
        inputs = {"data": trained / "x.npz", "meta": tmp_path / "meta.json"}
        inputs |= {"weights": trained / "model.safetensors", "histories": trained / "history.json"}
        outputs = {name: tmp_path / name for name in evaluate.OUTPUTS}
        with pytest.raises(InputError, match=f"trained on these data \\({name}"):
            call(monkeypatch, evaluate, {}, **inputs, **outputs)
    _, about = load(trained / "model.safetensors")
    assert about.data_sha256 == meta["data_sha256"]


def history(path, losses, mccs):
    points = zip(losses, mccs, strict=True)
    curve = [{"val_loss": a, "val_mcc": b, "val_accuracy": 0.5} for a, b in points]
    path.write_text(json.dumps({"curve": curve, "parameters": 5, "seconds": 1.0}))
    return path


def test_the_model_with_the_best_mcc_on_val_is_chosen(monkeypatch, tmp_path):
    # Of each the epoch with the lowest loss counts: 20, 60, 60 with a lower loss.
    files = [
        history(tmp_path / "0", [0.9, 0.5, 0.6], [10, 20, 90]),
        history(tmp_path / "1", [0.9, 0.4], [10, 60]),
        history(tmp_path / "2", [0.3, 0.5], [60, 10]),
    ]
    poolings = ["mean", "max", "flatten"]
    tried = [{"model": {"pooling": name}, "both_strands": name != "max"} for name in poolings]
    call(monkeypatch, choose, {"candidates": tried}, histories=files, out=tmp_path / "choice.json")
    choice = json.loads((tmp_path / "choice.json").read_text())
    assert choice["candidate"] == 2 and choice["model"]["pooling"] == "flatten"
    assert [one["val_mcc"] for one in choice["tried"]] == [20, 60, 60]
    spec = TrainSpec.model_validate({"candidates": tried, "lr": 0.5})
    best = chosen(spec, tmp_path / "choice.json")
    assert (best.model.pooling, best.both_strands, best.lr) == ("flatten", True, 0.5)
    with pytest.raises(InputError, match="expected a candidate below 1, found 2"):
        chosen(
            spec.model_copy(update={"candidates": spec.candidates[:1]}), tmp_path / "choice.json"
        )
    with pytest.raises(InputError, match="expected 3 histories, found 2"):
        call(monkeypatch, choose, {"candidates": tried}, histories=files[:2], out=tmp_path / "c")


def test_what_is_chosen_is_not_pretrained():
    line = "pretraining.epochs: expected 0 beside choice, found 3"
    with pytest.raises(InputError, match=line):
        read_spec('{"choice": {}, "pretraining": {"epochs": 3}}', Dataset)
    assert read_spec('{"choice": {}}', Dataset)[0].choice.candidates[0].model.pooling == "flatten"


def test_a_rare_class_weighs_as_much_as_the_others():
    y = torch.tensor([0] * 90 + [1] * 10)
    weights = class_weights(y, 2, 0.5)
    assert weights.tolist() == pytest.approx([50 / 90, 5])
    assert (weights[y]).sum().item() == pytest.approx(100)
    assert class_weights(y, 2, 0.2) is None and class_weights(y, 2, 0.0) is None
    assert class_weights(y, 3, 0.5)[2] == pytest.approx(100 / 3)  # a class that is not there


def row(model, value, low, high, **more):
    found = {"source": "this run", "dataset": "own/set", "metric": "mcc", "split": "test"}
    found |= {"subset": "all", "members": "1", "views": "none", "parameters": 3, "model": model}
    return found | {"value": value, "ci_low": low, "ci_high": high} | more


NET, LINEAR = "Transformer encoder", "logistic regression on k-mers"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row(NET, 50.0, 40.0, 60.0), row(LINEAR, 40.0, 30.0, 50.0)], []),
        ([row(NET, 5.0, -4.0, 14.0)], ["not better than chance"]),
        ([row(NET, 0.0, None, None)], ["not better than chance"]),
        (
            [row(NET, 50.0, 40.0, 60.0), row(LINEAR, 51.0, 41.0, 61.0)],
            ["not better than logistic regression on k-mers (51.0 (41.0 to 61.0))"],
        ),
        # The answer is that of both strands.
        (
            [row(NET, 5.0, -4.0, 14.0), row(NET, 50.0, 40.0, 60.0, views="both strands")],
            [],
        ),
        ([row(NET, 50.0, 40.0, 60.0, split="val")], ["no MCC"]),
    ],
)
def test_warnings_of_a_score_that_is_worth_little(rows, says):
    told = summarise.warnings(summarise.scores(rows, "own/set"), NET)
    assert len(told) == len(says)
    assert all(words in line for words, line in zip(says, told, strict=True))


def test_the_summary_is_for_people(monkeypatch, trained, tmp_path):
    meta = json.loads((trained / "meta.json").read_text())
    told = json.loads((trained / "history.json").read_text())
    spec = summarise.SummariseSpec(dataset="own/set", folder="results/own-set/dna/own/set")
    found = summarise.summary(spec, meta, [row(NET, 50.0, 40.0, 60.0)], [told], {})
    assert found["shared"]["test"] == {"same": 0, "near": 0} and found["warnings"] == []
    page = summarise.text(found, "results/own-set/report.html")
    assert page.startswith("# set.csv\n\nYour own. Split: 560 train, 120 val, 120 test.\n")
    assert "| Transformer encoder | 50.0 (40.0 to 60.0) | 3 |" in page and "Warning" not in page
    weights = "results/own-set/dna/own/set/seed1/model.safetensors"
    assert f"`.venv/bin/python -m dna.predict {weights} new.fasta`" in page


def test_a_few_long_sequences_do_not_decide_the_length():
    assert prepare.usual_length([60] * 300 + [30_000]) == 60
    assert prepare.usual_length([60] * 300 + [119]) == 119
    assert prepare.usual_length([20, 300, 3000] * 100) == 3000


def test_raw_files_are_not_taken_for_generated_ones(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="expected no --raw for planted_motifs.*Name the data"):
        call(
            monkeypatch, prepare, {"classes": ["a", "b"]}, raw=tmp_path,
            out=tmp_path / "x.npz", meta=tmp_path / "meta.json",
        )  # fmt: skip


def test_what_a_reader_of_the_score_must_know_is_in_the_meta(monkeypatch, tmp_path, capsys):
    random = np.random.default_rng(0)
    a, b, c, d = ("".join(random.choice([*"ACGT"], 30)) for _ in range(4))
    strand = str.maketrans("ACGT", "TGCA")
    lines = [
        f"{a},x,train", f"{b},y,train", f"{a.translate(strand)[::-1]},y,train", f"{c},x,val",
        f"{b},y,test", f"{d},x,test", f"{d}{a[:25]},x,test",
    ]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text("sequence,label,split\n" + "\n".join(lines))
    _, changes = collect(path, tmp_path / "sequences.jsonl")
    spec = {"dataset": "own/a", "both_strands": True, **changes["data"], "max_length": 40}
    out = {"out": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    call(monkeypatch, prepare, spec, raw=tmp_path, **out)
    told = json.loads(out["meta"].read_text())["warnings"]
    assert told == [
        "1 of 7 sequences are longer than 40 letters: their middle is read (the longest, 7, has 55;"
        " max_length 40)",
        "val has no sequence of y",
        "2 rows contradict others: the same sequence, or its reverse complement, has another label"
        " (such as 1 and 3)",
        "test: of 3 sequences, 1 are in an earlier split too and 1 have half of their 16-letter"
        " words in one: their score says little about new sequences",
    ]
    assert capsys.readouterr().out.count("warning: ") == 4
    arrays = read_npz(out["out"])
    assert arrays["test_x"].shape == (3, 40) and arrays["test_id"].tolist() == ["5", "6", "7"]
