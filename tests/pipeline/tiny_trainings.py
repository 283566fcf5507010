"""One tiny training of each room, as its program does it: steps counted, ended where wanted."""

import json
import os
import signal
import sys

import numpy as np

from dna import prepare as prepare_dna
from dna import train as train_dna
from gpt import generate_stories as generate_stories
from gpt import prepare as prepare_text
from gpt import train as train_gpt
from mlp import train as train_mlp
from numpy_nn.training import Training
from pipeline.atomic import write_npz
from seq2seq import prepare as prepare_genetic_code
from seq2seq import train as train_seq2seq
from vision import train as train_vision


def call(monkeypatch, program, spec, **paths):
    """Run a program's main; a list of paths follows its option."""
    words = ["program", "--spec", json.dumps(spec)]
    for name, path in paths.items():
        words += [f"--{name}", *map(str, path if isinstance(path, list) else [path])]
    monkeypatch.setattr(sys, "argv", words)
    program.main()


def sequences(monkeypatch, tmp_path, program, spec):
    paths = {"data": tmp_path / "sequences.npz", "meta": tmp_path / "sequences.json"}
    call(monkeypatch, program, spec, out=paths["data"], meta=paths["meta"])
    return paths


def gpt(monkeypatch, tmp_path):
    stories = tmp_path / "stories.txt"
    call(monkeypatch, generate_stories, {"stories": 60}, out=stories)
    names = {"tokenizer": "json", "train": "npy", "val": "npy", "test": "npy", "meta": "json"}
    paths = {name: tmp_path / f"{name}.{ending}" for name, ending in names.items()}
    call(monkeypatch, prepare_text, {"dataset": "grammar_stories"}, raw=stories, **paths)
    model = {"context": 16, "n_layers": 1, "n_heads": 2, "d_model": 16}
    spec = {"steps": 12, "warmup_steps": 2, "eval_every": 5, "batch_size": 4, "eval_tokens": 200}
    spec |= {"model": model, "precision": "bfloat16"}
    return train_gpt, spec, {n: paths[n] for n in ("train", "val", "tokenizer", "meta")}


def gpt_modern(monkeypatch, tmp_path):
    program, spec, inputs = gpt(monkeypatch, tmp_path)
    spec |= {"model": spec["model"] | {"architecture": "modern"}, "precision": "float16"}
    spec |= {"optimizer": "muon", "average_decay": 0.8, "accumulation": 2, "decay": "linear"}
    return program, spec, inputs


def dna(monkeypatch, tmp_path):
    sizes = {"sizes": [90, 30, 40], "length": 16, "place": 4}
    model = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_layers": 1, "pooling": "cls"}
    spec = {"model": model, "epochs": 4, "batch_size": 16, "largest_shift": 1}
    spec |= {"both_strands": True, "mutated_share": 0.1}
    return train_dna, spec, sequences(monkeypatch, tmp_path, prepare_dna, sizes)


def seq2seq(monkeypatch, tmp_path):
    sizes = {"train": 120, "val": 20, "test": 30, "shortest": 2, "longest": 4}
    model = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_encoder_layers": 1, "n_decoder_layers": 1}
    spec = {"model": {**model, "dropout": 0.1}, "steps": 12, "batch_size": 16, "evaluate_every": 5}
    data = sequences(monkeypatch, tmp_path, prepare_genetic_code, sizes)["data"]
    return train_seq2seq, spec, {"data": data}


def vision(monkeypatch, tmp_path, model="cnn"):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (90, 8, 8, 3), dtype=np.uint8)
    write_npz(tmp_path / "i.npz", train_x=x, train_y=np.arange(90) % 3)
    meta = {"dataset": "x", "classes": ["a", "b", "c"], "data_sha256": "0"}
    (tmp_path / "i.json").write_text(json.dumps(meta))
    spec = {"dataset": "x", "model": model, "widths": [4, 4], "hidden": 8, "dropout": 0.2}
    spec |= {"epochs": 3, "batch_size": 20, "validation_size": 20, "crop": 1, "cutout": 2}
    return train_vision, spec, {"images": tmp_path / "i.npz", "meta": tmp_path / "i.json"}


def vision_mlp(monkeypatch, tmp_path):
    return vision(monkeypatch, tmp_path, model="mlp")


def vision_fast(monkeypatch, tmp_path):
    program, spec, inputs = vision(monkeypatch, tmp_path, model="fast_cnn")
    return program, spec | {"small_side": 6, "small_share": 0.5, "bias_lr": 1.0}, inputs


def mlp(monkeypatch, tmp_path):
    random = np.random.default_rng(0)
    images = {"x": random.integers(0, 256, (90, 6, 6), dtype=np.uint8), "y": np.arange(90) % 2}
    write_npz(
        tmp_path / "i.npz", **{f"{p}_{k}": v for p in ("train", "test") for k, v in images.items()}
    )
    meta = {"dataset": "x", "classes": ["a", "b"], "data_sha256": "0"}
    (tmp_path / "i.json").write_text(json.dumps(meta))
    inputs = {"data": tmp_path / "i.npz", "meta": tmp_path / "i.json"}
    spec = {"dataset": "x", "hidden": [8], "epochs": 12, "batch_size": 30, "ema_decay": 0.9}
    return train_mlp, spec, inputs


ROOMS = {
    "mlp": mlp,
    "gpt": gpt,
    "gpt_modern": gpt_modern,
    "dna": dna,
    "seq2seq": seq2seq,
    "vision": vision,
    "vision_mlp": vision_mlp,
    "vision_fast": vision_fast,
}


class Tiny:
    """The training of one room; `steps` counts the steps (Part 1: epochs) of all its runs."""

    def __init__(self, room, monkeypatch, tmp_path):
        # Where the processor has no units for 16 bits they are emulated here, slowly and all the
        # same.
        units = {"avx512_bf16": True, "amx_fp16": True}
        monkeypatch.setattr("pipeline.precision._capabilities", lambda: units)
        self.monkeypatch, self.steps, self.stop = monkeypatch, 0, None
        self.signal = signal.SIGTERM
        self.program, self.spec, self.inputs = ROOMS[room](monkeypatch, tmp_path)
        of_room = (self.program, "clipped_step")
        module, name = (Training, "run_epoch") if room == "mlp" else of_room
        step = getattr(module, name)

        def counted(*arguments, **options):
            self.steps += 1
            if self.steps == self.stop:
                os.kill(os.getpid(), self.signal)
            return step(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    def file(self, folder):
        return folder / ("w.npz" if self.program is train_mlp else "w.safetensors")

    def __call__(self, folder, stop=None, **changes):
        """Train in `folder`: (bytes of the weights, curve); the signal comes in step `stop`."""
        folder.mkdir(exist_ok=True)
        self.steps, self.stop = 0, stop
        call(
            self.monkeypatch,
            self.program,
            self.spec | changes,
            **self.inputs,
            weights=self.file(folder),
            history=folder / "history.json",
            checkpoint=folder / "checkpoint",
        )
        curve = json.loads((folder / "history.json").read_text())["curve"]
        return self.file(folder).read_bytes(), curve
