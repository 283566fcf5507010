"""The GPT programs one after the other on generated stories: whole, repeatable, resumable."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_trainings import call

from gpt import evaluate as evaluate_gpt
from gpt import generate_stories as generate_stories
from gpt import prepare as prepare_text
from gpt import sample as sample_gpt
from gpt import trace as trace_gpt
from gpt import train as train_gpt
from gpt.settings import SampleSpec, TrainSpec, Way
from gpt.stored_model import load
from gpt.story_grammar import accepts, entropy_bits, tell
from gpt.tokenizer import CharacterTokenizer, load_tokenizer
from pipeline.errors import InputError
from pipeline.history import read_histories
from pipeline.settings import read_spec
from torch_nn.language_model import LanguageModel
from torch_nn.sampling import token_distribution

MODEL = {"context": 16, "n_layers": 2, "n_heads": 2, "d_model": 16, "dropout": 0.1}
TRAINING = {"steps": 12, "batch_size": 4, "eval_every": 4, "eval_tokens": 200, "warmup_steps": 2}


@pytest.fixture
def text(tmp_path, monkeypatch):
    """Paths of a prepared text of 60 stories."""
    call(monkeypatch, generate_stories, {"stories": 60}, out=tmp_path / "stories.txt")
    names = {"tokenizer": "json", "train": "npy", "val": "npy", "test": "npy", "meta": "json"}
    paths = {name: tmp_path / f"{name}.{ending}" for name, ending in names.items()}
    spec = {"dataset": "grammar_stories", "tokenizer": "bpe", "vocab_size": 300}
    call(monkeypatch, prepare_text, spec, raw=[tmp_path / "stories.txt"], **paths)
    return paths


def train(text, monkeypatch, folder, **changes):
    folder.mkdir(exist_ok=True)
    call(
        monkeypatch,
        train_gpt,
        {"dataset": "grammar_stories", "model": MODEL, **TRAINING, **changes},
        **{name: text[name] for name in ("train", "val", "tokenizer", "meta")},
        weights=folder / "model.safetensors",
        history=folder / "history.json",
        checkpoint=folder / "checkpoint",
    )
    history = json.loads((folder / "history.json").read_text())
    return (folder / "model.safetensors").read_bytes(), history


@pytest.mark.parametrize("units", [True, False])
def test_the_history_says_what_ran(text, monkeypatch, tmp_path, units):
    # Where the processor has no units for bfloat16 it is emulated here, slowly and all the same.
    monkeypatch.setattr("pipeline.precision._capabilities", lambda: {"avx512_bf16": units})
    _, history = train(text, monkeypatch, tmp_path / "run", precision="bfloat16")
    assert history["precision"] == ("bfloat16" if units else "float32")
    assert history["provenance"]["kernels"].endswith(f", {history['precision']}")
    assert [point["step"] for point in history["curve"]] == [4, 8, 12]
    # Two blocks of width 16 on 16 tokens: queries, keys, values and output (4 C^2), feed-forward
    # (8 C^2), Q K^T and weights V (2 T C); and the output projection to 300 tokens or fewer.
    vocabulary = json.loads(text["meta"].read_text())["vocab_size"]
    forward = 2 * 16 * (2 * (12 * 16**2 + 2 * 16 * 16) + 16 * vocabulary)
    assert history["train_flops"] == 3 * forward * 12 * 4


def test_the_best_weights_on_validation_are_kept(text, monkeypatch, tmp_path):
    monkeypatch.setattr(train_gpt, "window_nats", fake_nats([3.0, 1.0, 2.0]))
    best, history = train(text, monkeypatch, tmp_path / "best")
    assert history["best_step"] == 8
    assert [point["val_loss"] for point in history["curve"]] == [3.0, 1.0, 2.0]
    monkeypatch.setattr(train_gpt, "window_nats", fake_nats([3.0, 2.0, 1.0]))
    last, _ = train(text, monkeypatch, tmp_path / "last")
    assert best != last
    monkeypatch.setattr(train_gpt, "window_nats", fake_nats([3.0, 1.0, 2.0]))
    kept, history = train(text, monkeypatch, tmp_path / "kept", keep="last")
    assert kept == last and history["best_step"] == 12


def fake_nats(values):
    found = iter(values)
    return lambda *_: (np.array([next(found)]), np.array([1]))


def test_a_nan_loss_stops_with_step_and_rate(text, monkeypatch, tmp_path):
    loss = train_gpt.next_token_loss
    monkeypatch.setattr(train_gpt, "next_token_loss", lambda *a: loss(*a) * float("nan"))
    with pytest.raises(InputError, match="step 0, lr 0.0005: expected a finite loss"):
        train(text, monkeypatch, tmp_path / "nan")


@pytest.mark.parametrize(
    "settings, spec, line",
    [
        (TrainSpec, {"steps": 20}, "warmup_steps: .*fewer than steps 20, found 50"),
        (TrainSpec, {"steps": 9, "warmup_steps": 9}, "fewer than steps 9, found 9"),
        (TrainSpec, {"model": {"n_heads": 3}}, "model.d_model: .*n_heads 3, found 128"),
        (SampleSpec, {"ways": [{"min_p": 0.0}]}, "ways.0.min_p: .*above 0, found 0.0"),
        (
            TrainSpec,
            {"model": {"n_heads": 1, "d_model": 3, "positions": "sinusoidal"}},
            "model.positions: .*even d_model, found 3",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_one_line(settings, spec, line):
    with pytest.raises(InputError, match=line):
        read_spec(json.dumps(spec), settings)
    assert read_spec("{}", settings)


class Replay(LanguageModel):
    """A stub of a GPT: row b goes on with the b-th stream of tokens, whatever it has read."""

    context = 10_000

    def __init__(self, streams, vocab_size):
        super().__init__()
        self.anything = torch.nn.Parameter(torch.zeros(1))
        self.streams, self.vocab_size = streams, vocab_size

    def new_cache(self, batch_size):
        return SimpleNamespace(length=0)

    def forward(self, tokens, cache):
        cache.length += tokens.size(1)
        following = [s[min(cache.length, len(s) - 1)] for s in self.streams]
        logits = torch.nn.functional.one_hot(torch.tensor(following), self.vocab_size) * 100.0
        return logits.unsqueeze(1)  # (B, 1, V)


def test_nothing_to_read_is_refused():
    tokenizer = CharacterTokenizer.train(["ab"], separator=False)
    with pytest.raises(InputError, match="prompts: ''"):
        sample_gpt.write(None, tokenizer, [""], Way(), 1, [1])


def test_an_unknown_character_names_its_prompt():
    tokenizer = CharacterTokenizer.train(["ab"], separator=True)
    with pytest.raises(InputError, match="prompt 'ac': .*found 'c' as character 2 of 2") as error:
        sample_gpt.write(None, tokenizer, ["ac"], Way(), 1, [1])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("tokens", [5, 50, 5000])
def test_of_many_equal_logits_the_lower_numbers_go_first(tokens):
    logits = torch.arange(tokens) % 3 // 2 * 1.0  # 0 0 1 0 0 1 ...
    found = token_distribution(logits, top_k=tokens // 2).nonzero().squeeze(1)
    order = sorted(range(tokens), key=lambda token: (-logits[token], token))
    assert found.tolist() == sorted(order[: tokens // 2])


def test_every_model_needs_its_history(tmp_path):
    path = tmp_path / "history.json"
    path.write_text('{"seconds": 1')
    with pytest.raises(InputError, match="expected 2 histories, as weights, found 1"):
        read_histories([path, path], [path])
    with pytest.raises(InputError, match=r"history.json: .*Train again"):
        read_histories([path], [path])
    path.write_text('{"seconds": 1}')
    with pytest.raises(InputError, match="found: none of parameters, train_flops, provenance"):
        read_histories([path], [path])


def test_sampled_stories_come_back_whole_and_the_grammar_knows_them(text):
    tokenizer = load_tokenizer(text["tokenizer"])
    stories = [tell(np.random.default_rng(seed)) for seed in range(4)]
    broken = [*stories[:2], stories[2].replace("Once", "One"), stories[3] + " The end."]
    for told, share in ((stories, 1.0), (broken, 0.5), (["Anna."] * 4, 0.0)):
        end = tokenizer.separator
        streams = [[end, *tokenizer.encode(story), end] for story in told]
        model = Replay(streams, tokenizer.vocab_size)
        for way in (Way(temperature=0.0), Way(top_k=2)):
            found = sample_gpt.write(model, tokenizer, [""] * 4, way, 400, range(4))
            assert found == [(story, True) for story in told]
            assert np.mean([accepts(story) for story, _ in found]) == share
    # Cut before its end, a story is none.
    model = Replay([[end, *tokenizer.encode(s), end] for s in stories], tokenizer.vocab_size)
    found = sample_gpt.write(model, tokenizer, [""] * 4, way, 20, range(4))
    assert not any(accepts(story) or ended for story, ended in found)


def test_evaluation_sampling_and_tracing(text, monkeypatch, tmp_path):
    _, history = train(text, monkeypatch, tmp_path / "run")
    weights = tmp_path / "run" / "model.safetensors"
    meta = json.loads(text["meta"].read_text())
    floor = entropy_bits() * meta["n_documents"]["test"] / meta["n_bytes"]["test"]
    assert f"{floor:.4f} bits per byte" in meta["protocol"]
    judged = {"judged": 100, "accepted_share": 0.29}
    (tmp_path / "judged.json").write_text(json.dumps(judged))
    call(
        monkeypatch,
        evaluate_gpt,
        {"stride": 8},
        **{name: text[name] for name in ("val", "test", "meta")},
        weights=[weights, weights],
        histories=[tmp_path / "run" / "history.json"] * 2,
        samples=tmp_path / "judged.json",
        out=tmp_path / "metrics.json",
    )
    rows = json.loads((tmp_path / "metrics.json").read_text())["rows"]
    sliding = {(r["split"], r["metric"]): r for r in rows if r["views"] == "sliding windows"}
    found = {(row["split"], row["metric"]): row for row in rows if row["views"] == "none"}
    share = found.pop(("test", "accepted_share"))
    assert share["value"] == 0.29 and share["n_seeds"] == 1
    # Wilson's interval at 29 of 100.
    assert (share["ci_low"], share["ci_high"]) == pytest.approx((0.2101, 0.3854), abs=1e-4)
    assert {(r["inputs"], r["views"], r["members"], r["subset"]) for r in rows} == {
        ("tokens", "none", "1", "all"),
        ("tokens", "sliding windows", "1", "all"),
    }
    assert share["train_flops"] == history["train_flops"]
    assert (
        set(found)
        == set(sliding)
        == set(itertools.product(("val", "test"), ("nats_per_token", "bits_per_byte")))
    )
    nats, bits = found["test", "nats_per_token"], found["test", "bits_per_byte"]
    tokens = meta["sizes"]["test"] - 1
    expected = nats["value"] * tokens / np.log(2) / meta["n_bytes"]["test"]
    assert bits["value"] == pytest.approx(expected)
    assert nats["ci_low"] < nats["value"] < nats["ci_high"]
    assert nats["n_seeds"] == 2 and nats["std"] == 0
    longer = sliding["test", "nats_per_token"]  # More history, another loss.
    assert longer["value"] != nats["value"] == pytest.approx(longer["value"], rel=0.01)

    ways = [{"temperature": 1.0, "top_k": 5}, {"temperature": 0.0}]
    spec = {"prompts": ["", "Once"], "ways": ways, "max_new_tokens": 20, "quality_samples": 3}
    read = {"weights": weights, "train": text["train"], "val": text["val"]}
    for name in ("a.json", "b.json"):
        out = tmp_path / name
        call(monkeypatch, sample_gpt, spec, **read, out=out)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    samples = json.loads((tmp_path / "a.json").read_text())
    assert len(samples["samples"]) == 4 and samples["accepted_share"] == 0
    assert all(sample["text"].startswith(sample["prompt"]) for sample in samples["samples"])

    attention, positions = tmp_path / "attention.npz", tmp_path / "positions.npz"
    out = {"attention": attention, "positions": positions}
    call(monkeypatch, trace_gpt, {"sentence": "Once upon a time"}, weights=weights, **out)
    with np.load(attention, allow_pickle=False) as stored:
        weights, tokens = stored["weights"], stored["query_tokens"]
        assert weights.shape == (2, 2, len(tokens), len(tokens)) and "".join(tokens) == (
            "Once upon a time"
        )
        assert not np.triu(weights, 1).any() and np.allclose(weights.sum(-1), 1, atol=1e-5)
    with np.load(positions, allow_pickle=False) as stored:
        assert stored["sinusoidal"].shape == stored["learned"].shape == (16, 16)


def test_a_model_and_a_text_that_do_not_fit_are_one_line(text, monkeypatch, tmp_path):
    train(text, monkeypatch, tmp_path / "run")
    model, tokenizer, about = load(tmp_path / "run" / "model.safetensors")
    assert tokenizer.encode("Once upon") == load_tokenizer(text["tokenizer"]).encode("Once upon")
    assert about.dataset == "grammar_stories" and model.context == 16
    paths = {name: text[name] for name in ("val", "test", "meta")} | {"out": tmp_path / "m.json"}
    paths |= {"weights": tmp_path / "run" / "model.safetensors"}
    paths |= {"histories": tmp_path / "run" / "history.json"}
    with pytest.raises(InputError, match="stride: .*the model's context 16, found 17"):
        call(monkeypatch, evaluate_gpt, {"stride": 17}, **paths)
    other = json.loads(text["meta"].read_text()) | {"data_sha256": "0" * 64}
    text["meta"].write_text(json.dumps(other))
    with pytest.raises(InputError, match=r"trained on this text \(grammar_stories\), found"):
        call(monkeypatch, evaluate_gpt, {}, **paths)
