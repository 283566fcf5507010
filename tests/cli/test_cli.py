"""nn, in process, on runs with tiny models."""

import csv
import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from typer.testing import CliRunner

from cli import export
from cli.main import app, known_models, known_runs
from gpt.model import build as build_gpt
from gpt.settings import Model as GptModel
from gpt.settings import Stored as GptStored
from numpy_nn.mlp import build_mlp
from numpy_nn.standardise import Standardise
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.hashing import file_sha256
from pipeline.predictions import write_predictions
from pipeline.results import COLUMNS, row
from pipeline.weights import save_weights
from reporting import leaderboard, reference, reference_models
from seq2seq.model import build as build_seq2seq
from seq2seq.settings import Model as Seq2SeqModel
from seq2seq.settings import Stored as Seq2SeqStored
from vision.model import build as build_vision
from vision.settings import Stored as VisionStored

GPT = GptModel(context=16, n_layers=1, n_heads=2, d_model=8)
TRANSLATOR = Seq2SeqModel(n_heads=2, d_model=8, n_encoder_layers=1, n_decoder_layers=1, d_ff=8)
CNN = VisionStored(
    model="cnn",
    widths=[4, 4],
    dataset="shapes",
    image_shape=[3, 8, 8],
    classes=["circle", "square"],
)
ORIGIN = {"threads": 1, "device": "cpu", "commit": "0123456789ab"}
ABOUT = {
    "dataset": "digits", "model": "MLP 4-3", "inputs": "pixels", "task": "image_classification",
    "implementation": "numpy", "parameters": 15, "train_seconds": 1.0, "train_flops": 1e6,
    "data_sha256": "0" * 64,
}  # fmt: skip


def stories(path):
    tokenizer = {"kind": "characters", "characters": "abc .", "separator": True}
    about = {"dataset": "tales", "title": "Tales", "stand_in": False, "data_sha256": "0" * 64}
    save_weights(path, build_gpt(GPT, 6), GptStored(model=GPT, tokenizer=tokenizer, **about))


def net(folder):
    rng = np.random.default_rng(0)
    model = build_mlp(
        [4, 3], activation="relu", norm="none", dropout=0.0, input_dropout=0.0,
        standardise=Standardise().fit(np.eye(4, dtype=np.uint8) * 255),
        weights_rng=rng, dropout_rng=rng,
    )  # fmt: skip
    write_npz(folder / "seed1" / "model.npz", **model.state_dict())
    history = {"model": "MLP 4-3", "inputs": "pixels", "dataset": "digits"}
    write_json(folder / "seed1" / "history.json", history)
    images = np.zeros((1, 2, 2), np.uint8)
    classes = np.array(["one", "two", "three"])
    write_npz(folder / "examples.npz", images=images, label=np.array([2]), classes=classes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the runs `standard` and `small` in its results."""
    torch.manual_seed(0)
    made = tmp_path_factory.mktemp("here")
    run = made / "results" / "standard"
    stories(run / "gpt" / "tinystories" / "seed1" / "model.safetensors")
    translator = build_seq2seq(TRANSLATOR, 15, 6)
    about = Seq2SeqStored(model=TRANSLATOR, source_length=15)
    save_weights(run / "seq2seq" / "seed1" / "model.safetensors", translator, about)
    net(run / "mlp" / "plain")
    cnn = build_vision(CNN, CNN.image_shape, 2)
    save_weights(run / "vision" / "cnn" / "seed1" / "model.safetensors", cnn, CNN)
    Image.fromarray(np.full((5, 7), 200, np.uint8)).save(made / "grey.png")
    stories(made / "results" / "small" / "gpt" / "own" / "tales" / "seed2" / "model.safetensors")
    stories(made / "results" / "small" / "gpt" / "own" / "tales" / "seed10" / "model.safetensors")
    shutil.copytree(run / "mlp" / "plain" / "seed1", run / "mlp" / "plain" / "fold0")
    return made


@pytest.fixture
def nn(folder, monkeypatch):
    """Run `nn` with these words; returns its status, standard output and error output."""
    monkeypatch.chdir(folder)
    threads = torch.get_num_threads()

    def call(*words):
        done = CliRunner().invoke(app, list(map(str, words)), prog_name="nn")
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    yield call
    torch.set_num_threads(threads)


def test_runs_are_listed_with_their_models(nn):
    status, told, _ = nn("runs")
    assert status == 0 and re.search(r"standard +not finished +5\n", told)
    status, told, _ = nn("runs", "--json")
    names = {run["run"]: run["models"] for run in json.loads(told)}
    # The tenth seed comes after the second.
    assert names["small"] == ["gpt/own/tales/seed2", "gpt/own/tales/seed10"]


def test_a_text_is_the_same_again_and_streams_what_it_is(nn):
    words = ("write", "standard", "--prompt", "abc", "--tokens", 30, "--seed", 5)
    status, streamed, about = nn(*words)
    assert status == 0 and "gpt/tinystories/seed1" in about and "--seed 5" in about
    assert nn(*words)[1] == streamed
    found = json.loads(nn(*words, "--json")[1])
    assert streamed == found["text"] + "\n" and streamed.startswith("abc")
    assert found["seed"] == 5 and found["temperature"] == 0.7 and found["top_p"] == 0.9
    # Longer than the context, which then slides.
    assert nn("write", "standard", "--tokens", 30, "--temperature", 0, "--seed", 5)[0] == 0


def test_a_model_is_found_by_a_part_of_its_name_or_as_a_file(nn):
    assert "gpt/own/tales/seed10" in nn("write", "small", "--model", "seed10", "--seed", 1)[2]
    path = "results/small/gpt/own/tales/seed2/model.safetensors"
    assert path in nn("write", path, "--seed", 1)[2]


def test_a_frame_is_translated_beside_the_genetic_code(nn):
    status, told, _ = nn("translate", "standard", "ATGGCATAA", "auggca", "--json")
    whole, part = json.loads(told)
    assert status == 0 and (whole["frame"], whole["genetic_code"]) == ("ATGGCATAA", "MA")
    assert (part["frame"], part["genetic_code"]) == ("ATGGCA", None)
    status, told, more = nn("translate", "standard", "ATG" * 10)
    assert status == 0 and "trained on at most 15 letters" in more and "not a whole frame" in more
    assert "ACG" not in told and told.endswith("\n")


def test_a_run_becomes_a_page_to_play_with(nn, folder):
    status, told, _ = nn("play", "standard", "--out", "played.html")
    assert status == 0 and told == "played.html\n"
    sections = re.findall(r'<section id="(\w+)">', (folder / "played.html").read_text())
    assert sections == ["seq2seq", "gpt", "mlp"]
    assert nn("play", "standrad")[0] == 1


def test_a_picture_is_classified_by_numpy_and_by_torch(nn, folder):
    status, told, about = nn("classify", "standard", "grey.png")
    assert status == 0 and about == "mlp/plain/seed1: MLP 4-3\n"
    assert re.match(r"grey.png: \w+ 0\.\d{3}, ", told)
    (found,) = json.loads(nn("classify", "standard", "grey.png", "--json")[1])
    assert sum(found["p"].values()) == pytest.approx(1, abs=1e-5)
    (other,) = json.loads(nn("classify", "standard", "grey.png", "--invert", "--json")[1])
    assert set(other["p"]) == {"one", "two", "three"} and other != found
    assert "CNN" in nn("classify", "standard", "grey.png", "--model", "cnn")[2]
    history = folder / "results" / "standard" / "mlp" / "plain" / "seed1" / "history.json"
    text = history.read_text()
    history.write_text(text.replace("pixels", "pixels + HOG"))
    try:
        status, _, told = nn("classify", "standard", "grey.png", "--model", "plain/seed1")
    finally:
        history.write_text(text)
    assert status == 1 and "found one of hand-made features" in told


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["write", "standrd"], 1, "no run 'standrd' in results: did you mean 'standard'?"),
        (["write", "standard", "--model", "tinystorys"], 1, "did you mean 'tinystories'?"),
        (["write", "lost.safetensors"], 1, "no such file: lost.safetensors"),
        (["write", "standard", "--prompt", "x"], 1, "found 'x' as character 1 of 1"),
        (["write", "standard", "--temperature", "-1"], 2, "--temperature"),
        (["write"], 2, "RUN"),
        (["wrote", "standard"], 2, "write"),
        (["translate", "small", "ATG"], 1, "run small: no trained model of seq2seq is in it"),
        (["translate", "standard", "ATX"], 1, "found 'X' as letter 3 of 3"),
        (["classify", "standard", "lost.png"], 1, "lost.png: expected a PNG or JPEG"),
        (["classify", "results/small/gpt/own/tales/seed2/model.safetensors", "grey.png"], 1, "gpt"),
        (["leaderboard", "standard"], 1, "no leaderboard yet"),
        (["compare", "standard", "small"], 1, "no results are in it yet"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_status(nn, words, status, line):
    found, _, told = nn(*words)
    assert found == status and line in told
    assert status == 2 or (told.startswith("error: ") and told.count("\n") == 1)


def results(run, right, model="MLP 4-3", seeds=1, **about):
    """A model's metrics.json and predictions.csv: which of 200 test examples it has right."""
    label = np.arange(len(right)) % 3
    values = [right.mean()] if seeds == 1 else [right.mean() - 0.02, right.mean() + 0.02]
    ci = (right.mean() - 0.05, right.mean() + 0.05)
    named = {**ABOUT, "model": model, "metric": "accuracy", **about}
    rows = [row(split="test", values=values, ci=ci, provenance=ORIGIN, **named)]
    rows += [row(split="val", values=values, ci=None, provenance=ORIGIN, **named)]
    write_json(run / "mlp" / "plain" / "metrics.json", {"rows": rows, "notes": {}})
    write_predictions(run / "mlp" / "plain" / "predictions.csv", label, np.where(right, label, 9))
    ours = [
        {**each, "run": run.name, "config_sha256": "0" * 64, "source": leaderboard.OURS}
        for each in rows
    ]
    write_csv(run / "leaderboard.csv", leaderboard.build(ours, []), COLUMNS)


@pytest.fixture
def boards(tmp_path, monkeypatch):
    """A folder of runs, and what makes one by its name."""
    (tmp_path / "results").mkdir()
    return tmp_path, lambda name, *args, **about: results(
        tmp_path / "results" / name, *args, **about
    )


def compare(nn, monkeypatch, folder):
    monkeypatch.chdir(folder)
    status, told, _ = nn("compare", "a", "b", "--json")
    (found,) = json.loads(told)
    assert status == 0 and found["model"] == "mlp/plain" and found["split"] == "test"
    return found


def test_a_difference_on_the_same_examples_is_seen_where_two_intervals_overlap(
    nn, boards, monkeypatch
):
    folder, make = boards
    right = np.arange(200) < 150
    make("a", right)
    make("b", right | (np.arange(200) >= 192), model="MLP 4-8-3")  # eight more, and none fewer
    found = compare(nn, monkeypatch, folder)
    assert (found["verdict"], found["interval"]) == ("better", "paired")
    assert found["difference"] == pytest.approx(0.04)
    assert 0 < found["ci_low"] < 0.04 < found["ci_high"] < 0.08
    # The same gain with as many losses elsewhere is noise.
    make("b", (right & (np.arange(200) >= 30)) | (np.arange(200) >= 162))
    assert compare(nn, monkeypatch, folder)["verdict"] == "noise"
    status, told, _ = nn("compare", "a", "b")
    assert status == 0 and "digits: accuracy (test split)" in told and "+0.0400" in told


def test_what_is_not_paired_is_said_and_other_data_is_not_compared(nn, boards, monkeypatch):
    folder, make = boards
    right = np.arange(200) < 150
    make("a", right)
    make("b", right | (np.arange(200) >= 192))
    predictions = folder / "results" / "b" / "mlp" / "plain" / "predictions.csv"
    predictions.unlink()
    apart = compare(nn, monkeypatch, folder)
    assert (apart["verdict"], apart["interval"]) == ("noise", "apart")
    assert apart["ci_high"] - apart["ci_low"] == pytest.approx(2 * 0.05 * 2**0.5, abs=1e-9)
    make("b", right, seeds=2)
    seeds = compare(nn, monkeypatch, folder)
    std = 0.04 / 2**0.5
    assert seeds["interval"] == "paired"
    assert seeds["ci_high"] == pytest.approx(1.96 * std / 2**0.5)
    make("b", right, data_sha256="1" * 64)
    other = compare(nn, monkeypatch, folder)
    assert (other["verdict"], other["ci_low"]) == ("other data", None)


def test_the_leaderboard_is_a_table_and_all_rows(nn, boards, monkeypatch):
    folder, make = boards
    make("a", np.arange(200) < 150)
    monkeypatch.chdir(folder)
    status, told, _ = nn("leaderboard", "a")
    assert status == 0 and "MLP 4-3" in told and "0.7500" in told
    rows = json.loads(nn("leaderboard", "a", "--json")[1])
    assert [(each["split"], each["value"]) for each in rows] == [("test", 0.75), ("val", 0.75)]


def test_small_models_are_kept_and_used_from_there(nn, folder, tmp_path, monkeypatch):
    run, out = folder / "results" / "standard", tmp_path / "results" / "reference"
    ends = {"mlp": "2026-01-01", "gpt": "2026-01-01", "seq2seq": "2026-01-01"}
    write_json(run / "manifest.json", {"rooms": ends})
    kept = {"run": "standard", "rooms": {**ends, "vision": "2025-01-01"}}
    write_json(out / "manifest.json", {**reference.EMPTY, "runs": [kept]})
    names = ("mlp/plain/seed1", "gpt/tinystories/seed1", "seq2seq/seed1", "vision/cnn/seed1")
    monkeypatch.setattr(reference_models, "MODELS", names)
    reference_models.take_models(run, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    reference_models.take_models(run, out)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    entries = {entry["path"]: entry for entry in reference.read(out)["others"]}
    files = {path.relative_to(out).as_posix() for path in (out / "models").rglob("*.*")}
    assert set(entries) == files | {"models/SHA256SUMS"} and len(files) == 4
    assert "models/mlp/plain/seed1/examples.npz" in files
    sums = (out / "models" / "SHA256SUMS").read_text().splitlines()
    assert sums[0] == f"{entries['models/' + sums[0][66:]]['sha256']}  {sums[0][66:]}"
    with safe_open(out / "models" / names[0] / "model.safetensors", "numpy") as opened:
        kinds = {opened.get_tensor(name).dtype.name for name in opened.keys()}  # noqa: SIM118
    assert kinds == {"float16", "float32", "uint8"}

    (trained,) = json.loads(nn("classify", "standard", "grey.png", "--json")[1])
    story = nn("write", "standard", "--seed", 3, "--temperature", 0.01)[1]
    monkeypatch.chdir(tmp_path)
    (small,) = json.loads(nn("classify", "reference", folder / "grey.png", "--json")[1])
    assert small["p"] == pytest.approx(trained["p"], abs=1e-3)
    assert nn("write", "reference", "--seed", 3, "--temperature", 0.01)[1] == story
    assert nn("translate", "reference", "ATGTAA")[0] == 0
    kept = [path for name in names[:2] for path in (out / "models" / name).iterdir()]
    sizes = [path.stat().st_size for path in kept]
    monkeypatch.setattr(reference_models, "LIMIT", sum(sizes))
    reference_models.take_models(run, out)
    left = (out / "models" / "SHA256SUMS").read_text().splitlines()
    assert {line[66:].rpartition("/")[0] for line in left} == {*names[:2]}


def test_sequences_are_classified_as_the_room_does(nn, folder, tmp_path):
    pytest.importorskip("dna.predict")
    from dna.model import build
    from dna.settings import Stored

    about = {"classes": ["no", "yes"], "length": 12, "dataset": "own/x", "title": "X"}
    about = Stored(
        **about,
        stand_in=False,
        data_sha256="0" * 64,
        model={"d_model": 8, "n_heads": 2, "pooling": "mean"},
    )
    path = tmp_path / "model.safetensors"
    save_weights(path, build(about.model, 12, 2), about)
    (tmp_path / "x.fasta").write_text(">a\nACGT\n>b\nACGTACGTACGTACGT\n")
    status, told, more = nn("dna", "predict", path, tmp_path / "x.fasta")
    rows = list(csv.DictReader(told.splitlines()))
    assert status == 0 and [row["id"] for row in rows] == ["a", "b"] and "X, no, yes" in more
    assert float(rows[0]["p_no"]) + float(rows[0]["p_yes"]) == pytest.approx(1, abs=1e-5)
    status, told, _ = nn("dna", "predict", path, tmp_path / "x.fasta", "--out", tmp_path / "x.csv")
    assert told == "" and list(csv.DictReader((tmp_path / "x.csv").open())) == rows
    found = json.loads(nn("dna", "predict", path, tmp_path / "x.fasta", "--json")[1])
    assert [each["prediction"] for each in found] == [row["prediction"] for row in rows]
    assert nn("dna", "predict", path, tmp_path / "lost.fasta")[0] == 1


@pytest.mark.parametrize("name", ["tinystories", "seq2seq", "cnn"])
def test_an_export_gives_the_same_logits(nn, folder, tmp_path, name):
    for package in export.NEEDED:
        pytest.importorskip(package)
    status, told, _ = nn("export", "standard", name, tmp_path / "m.onnx")
    assert status == 0 and "onnxruntime agrees" in told
    assert (tmp_path / "m.onnx").stat().st_size > 1000


def test_an_export_says_what_it_cannot(nn, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "NEEDED", ("no_such_package",))
    status, _, told = nn("export", "standard", "cnn", tmp_path / "m.onnx")
    assert status == 1 and "pip install no_such_package" in told
    monkeypatch.setattr(export, "NEEDED", ())
    status, _, told = nn("export", "standard", "plain", tmp_path / "m.onnx")
    assert status == 1 and "which is NumPy's" in told and not (tmp_path / "m.onnx").exists()


def test_the_models_of_the_repository_are_as_their_sums_say(repository):
    folder = repository / "results" / "reference" / "models"
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    files = sorted(folder.rglob("*.*"))
    assert [(file_sha256(path), str(path.relative_to(folder))) for path in files] == [
        tuple(line) for line in lines
    ]
    assert sum(path.stat().st_size for path in files) <= reference_models.LIMIT


def test_a_shell_completes_runs_and_models(nn):
    assert list(known_runs("s")) == ["small", "standard"]
    typed = SimpleNamespace(params={"run": "standard"})
    assert list(known_models(typed, "gpt")) == ["gpt/tinystories/seed1"]
    assert list(known_models(SimpleNamespace(params={"run": "lost"}), "")) == []
