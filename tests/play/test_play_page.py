"""play.html in a browser: what its JavaScript computes is what PyTorch and NumPy compute.

One browser shows the page of a small run, light and dark. The language model is the reference's:
its weights are real, and so are the texts.
"""

import json
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import small_models
import torch
from browser import DESK, NEEDED, PHONE, RUN_AXE, axe, framed, show

from cli.play import sources
from dna.explain import explain
from dna.stored_model import load as load_dna
from gpt.stored_model import load as load_gpt
from play import build
from play.exhibits import Source, exhibits
from seq2seq import genetic_code as code
from seq2seq.stored_model import load as load_seq2seq
from torch_nn.decoding import greedy_decode
from torch_nn.generation import generate

pytestmark = [pytest.mark.slow, *NEEDED]
CHECKS = Path(__file__).with_name("checks.js")
GREEDY = {"prompt": "Once upon a time", "most": 60}


class Shown:
    """The page, and what it told in the browser."""

    def __init__(self, folder: Path, repository: Path):
        weights = small_models.write_run(folder / "run", folder / "processed")
        self.translator, self.classifier, _ = weights
        kept = repository / "results" / "reference" / "models" / "gpt" / "tinystories" / "seed1"
        self.stories = kept / "model.safetensors"
        sources = [Source(path.parent.name, path, path.parent.parent) for path in weights]
        sources.append(Source("stories", self.stories, folder))
        self.found = exhibits(sources, folder / "processed", {"digits": "Digits"})
        self.files = sorted((repository / "scripts" / "play" / "page").iterdir())
        self.page = build.page(build.Spec(run="made-up", report=""), self.found, self.files)
        self.cases = small_models.cases()
        cases = json.dumps({"models": self.cases, "greedy": GREEDY})
        run = f"const CASES = {cases};\n{CHECKS.read_text()}"
        light = self.frame("light", DESK, self.page, run)
        dark = self.page.replace("@media (prefers-color-scheme: dark)", "@media all")
        self.told, self.console = show(folder, [light, self.frame("dark", PHONE, dark)])
        self.light = self.told["light"]

    @staticmethod
    def frame(name, width, page, run="const checks = async () => ({});"):
        """A frame that tells what `checks` of the script `run` returns, and what axe finds."""
        tell = f'parent.postMessage({{name: "{name}", ...found, ...more}}, "*")'
        script = f"checks().then((found) => {{ const tell = (more) => {tell}; {RUN_AXE} }}, "
        script += f'(error) => parent.postMessage({{name: "{name}", error: error.stack}}, "*"))'
        return framed(page, width, f"{axe()}\n{run}\n{script}")


@pytest.fixture(scope="module")
def shown(tmp_path_factory, repository):
    torch.set_num_threads(1)
    found = Shown(tmp_path_factory.mktemp("play"), repository)
    assert "error" not in found.light, found.light["error"]
    return found


def test_no_message_no_request_nothing_that_axe_finds(shown):
    assert shown.console == []
    assert shown.light["loaded"] == [] and shown.light["overflow"] <= 0
    for name, found in shown.told.items():
        assert found["violations"] == found["incomplete"] == [], name


def test_each_model_computes_what_python_computes(shown):
    for name, case in shown.cases.items():
        told = shown.light["computed"][name]
        if case["kind"] == "tokenizer":
            assert told["found"] == case["wanted"], name
            assert told["decoded"] == case["decoded"], name
            continue
        np.testing.assert_allclose(told["found"], case["wanted"], atol=1e-4, err_msg=name)
        for key in ("p", "weights"):
            if key in case:
                # A row has as many weights as there were tokens then.
                pairs = zip(np.atleast_2d(case[key]), told[key], strict=False)
                for wanted, found in pairs:
                    found = np.atleast_1d(found)
                    np.testing.assert_allclose(found, wanted[: len(found)], atol=1e-4)


def test_a_greedy_text_is_that_of_pytorch_by_the_weights_of_the_page(shown):
    model, tokenizer, _ = load_gpt(shown.stories)
    state = {name: small_models.decoded(one) for name, one in shown.found["gpt"]["arrays"].items()}
    assert {one["kind"] for one in shown.found["gpt"]["arrays"].values()} > {"int8"}
    model.load_state_dict(state)
    prompt = torch.tensor([[tokenizer.separator, *tokenizer.encode(GREEDY["prompt"])]])
    written = generate(model, prompt, GREEDY["most"], lambda logits, _: logits.argmax(dim=-1))
    assert shown.light["greedy"] == written[0, prompt.size(1) :].tolist()


def test_a_gene_becomes_the_protein_that_pytorch_writes(shown):
    model, _ = load_seq2seq(shown.translator)
    state = {
        name: small_models.decoded(one) for name, one in shown.found["seq2seq"]["arrays"].items()
    }
    state["output_projection.weight"] = state["target_embedding.weight"]
    model.load_state_dict(state)
    source = torch.from_numpy(code.encode_frames(["ATGAAAGGTTGA"], 12)).long()
    wanted = greedy_decode(model, source, code.TARGET_START, code.TARGET_END, 5)[0].tolist()
    found = shown.light["exhibits"]["gene"]
    assert found["protein"].replace("^", "-") == code.decode_protein(wanted).replace("^", "-")
    assert found["message"] == "The genetic code says MKG."
    assert shown.light["exhibits"]["cells"] == 12 * len(wanted)


def test_what_mattered_is_what_dna_explain_says(shown):
    model, about = load_dna(shown.classifier)
    state = {name: small_models.decoded(one) for name, one in shown.found["dna"]["arrays"].items()}
    model.load_state_dict(state)
    letters = "ACGTNACGTACGTACGTACGTACG"
    tokens = np.array(["ACGTN".index(letter) for letter in letters], np.uint8)
    wanted = explain(model, about, "x", tokens)
    found = shown.light["exhibits"]["effects"]
    assert found[4] is None and not wanted.effects[4].any()
    for place in [*range(4), *range(5, 24)]:
        others, effects = zip(*found[place], strict=True)
        assert list(others) == wanted.others[place].tolist()
        np.testing.assert_allclose(effects, wanted.effects[place], atol=1e-3)
    assert shown.light["exhibits"]["label"] == "Test sequence 1 of 4 here, labelled site."
    first = np.arange(24) % 7 % 4
    assert shown.light["exhibits"]["example"] == "".join("ACGT"[t] for t in first)


def test_wrong_input_is_told_in_the_page(shown):
    told = shown.light["exhibits"]
    assert "“X” is no letter of DNA: expected A, C, G and T" in told["strangeGene"]
    assert "three letters or more" in told["shortGene"]
    assert "Not a whole gene" in told["openGene"]
    assert "“Z” is no letter of DNA" in told["strangeDNA"]
    assert "Type some letters" in told["noDNA"]
    assert "25 letters are too many" in told["longDNA"]
    assert "whole number" in told["strangeSeed"]
    assert "Type a word" in shown.light["noPrompt"]
    assert "never seen the character “z”" in shown.light["strangePrompt"]


def test_a_story_is_the_same_again_and_shows_what_it_read(shown):
    told = shown.light["exhibits"]
    assert told["text"] == told["again"] and len(told["text"]) > 200
    marked = told["marked"]
    begun = len(load_gpt(shown.stories)[1].encode("Once upon a time")) + 1
    assert max(marked[: begun + 3]) == 1 and not any(marked[begun + 3 :])


def test_a_picture_is_pushed_cleared_and_taken_again(shown):
    told = shown.light["exhibits"]
    assert told["pushed"] and told["black"]
    images = np.frombuffer(b64decode(shown.found["mlp"]["pictures"]), np.uint8)
    assert told["image"] == images[:64].tolist()
    assert re.fullmatch(r"It says: \w+\. The test image is labelled zero\.", told["told"])


def test_the_page_of_the_reference_is_below_6_mb(shown, repository, monkeypatch):
    monkeypatch.chdir(repository)
    found = exhibits(sources("reference"), Path("data/processed"), {})
    assert {"seq2seq", "gpt", "mlp"} <= set(found)
    assert "accuracy, test split" in found["mlp"]["facts"]
    assert len(build.page(build.Spec(), found, shown.files).encode()) < 6_000_000


def test_the_page_says_what_its_models_are(shown):
    assert list(shown.found) == ["seq2seq", "dna", "gpt", "mlp"] == shown.light["exhibits"]["rooms"]
    assert shown.found["dna"]["facts"]["trained on"] == "Toy"
    assert shown.found["mlp"]["facts"] == {
        "in this page": "half precision",
        "trained on": "Digits",
    }
    assert "8-bit integers" in shown.page and len(shown.page) < 6_000_000
