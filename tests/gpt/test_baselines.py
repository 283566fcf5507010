"""Kneser-Ney against its definition in dictionaries, and the rows of the baselines."""

import json
import lzma
import math
from collections import defaultdict

import numpy as np
import pytest
from tiny_trainings import call

from gpt import measure_baselines
from gpt.kneser_ney import SYMBOLS, KneserNey, count, ngrams
from gpt.measure_baselines import SEPARATOR, packed, symbols_of
from gpt.tokenizer import CharacterTokenizer, token_stream

RANDOM = np.random.default_rng(0)
TRAIN = np.array([0, 255, SEPARATOR, 97, 98])[RANDOM.integers(0, 5, 300) ** 2 % 5]
HELD_OUT = np.append(TRAIN[::-1][:60], [3, 97, 98, 3])  # 3 occurs nowhere in training


class InWords:
    """The formula of gpt/kneser_ney.py, one dictionary a level."""

    def __init__(self, symbols, order, discount):
        self.discount, grams = discount, [*zip(*(symbols[i:] for i in range(order)), strict=False)]
        self.levels = []
        while grams:
            counts = defaultdict(lambda: defaultdict(int))
            for *history, symbol in grams:
                counts[tuple(history)][symbol] += 1
            self.levels.insert(0, counts)
            order -= 1
            grams = [gram[1:] for gram in set(grams)] if order else []

    def p(self, symbol, history):
        below = 1 / SYMBOLS
        for length, counts in enumerate(self.levels):
            found = counts.get(history[len(history) - length :])
            if found:
                kept = max(found.get(symbol, 0) - self.discount, 0)
                below = (kept + self.discount * len(found) * below) / sum(found.values())
        return below


@pytest.mark.parametrize("order", [1, 2, 4])
def test_each_probability_is_that_of_the_formula(order):
    discounts = np.array([0.3, 0.9])
    found = KneserNey(TRAIN, order).nats(HELD_OUT, discounts, block=17)
    found = np.concatenate([*found], axis=1)
    padded = (-1,) * order + tuple(HELD_OUT.tolist())
    for row, discount in zip(found, discounts, strict=True):
        model = InWords(TRAIN.tolist(), order, discount)
        for place, nats in enumerate(row, start=1 + order):
            p = model.p(padded[place], padded[place - order + 1 : place])
            assert nats == pytest.approx(-math.log(p))


def test_probabilities_of_all_symbols_add_up_to_one():
    """After histories that occur, that are new, and that stand at the start."""
    model = KneserNey(TRAIN, 3)
    for history in ([97], [97, 98], [3, 3], [0, 3]):
        streams = (np.array([*history, symbol]) for symbol in range(SYMBOLS))
        nats = [[*model.nats(s, np.array([0.7]))][-1][0, -1] for s in streams]
        assert np.exp(-np.array(nats)).sum() == pytest.approx(1)


def test_counts_do_not_depend_on_the_blocks():
    whole = count(TRAIN, 3)
    keys, counts = np.unique(ngrams(TRAIN, 3), return_counts=True)
    assert (whole[0] == keys).all() and (whole[1] == counts).all()
    for found, expected in zip(count(TRAIN, 3, block=7), whole, strict=True):
        assert (found == expected).all()
    assert KneserNey(TRAIN, 3).parameters == sum(len({*ngrams(TRAIN, n)}) for n in (1, 2, 3))


@pytest.mark.parametrize("order", [0, 8])
def test_an_order_that_does_not_fit_is_refused(order):
    with pytest.raises(ValueError, match=f"order {order}"):
        KneserNey(TRAIN, order)


def test_xz_copies_from_what_it_has_read():
    text = RANDOM.integers(0, 256, 3000).astype(np.uint16)
    alone = packed(text)
    assert packed(text, text) - alone < 0.03 * alone
    assert alone < len(lzma.compress(text.astype(np.uint8).tobytes(), preset=9))


def test_bytes_of_documents_stand_between_separators():
    tokenizer = CharacterTokenizer.train(["aé"], separator=True)
    found = symbols_of(tokenizer, ["a", "é"])
    assert found.tolist() == [256, 97, 256, 195, 169, 256]
    running = CharacterTokenizer.train(["aé"], separator=False)
    assert symbols_of(running, ["aé"]).tolist() == [97, 195, 169]


def prepared(tmp_path, texts, separator):
    """Paths of a prepared text with one document a split."""
    tokenizer = CharacterTokenizer.train(texts.values(), separator)
    tokenizer.save(tmp_path / "tokenizer.json")
    paths = {"tokenizer": tmp_path / "tokenizer.json", "meta": tmp_path / "meta.json"}
    meta = {"dataset": "x", "data_sha256": "0" * 64, "split_names": {}}
    meta |= {"n_bytes": {name: len(text.encode()) for name, text in texts.items()}, "sizes": {}}
    for name, text in texts.items():
        stream = token_stream(tokenizer, [text])
        paths[name], meta["sizes"][name] = tmp_path / f"{name}.npy", len(stream)
        np.save(paths[name], np.array(stream, np.uint16))
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    return paths


@pytest.mark.parametrize("letter", ["b", "é"])
def test_rows_in_both_units_where_a_token_is_a_byte(tmp_path, monkeypatch, letter):
    texts = {"train": f"ab{letter} " * 400, "val": f"ab{letter} " * 50, "test": f"{letter} ab" * 90}
    paths, out = prepared(tmp_path, texts, separator=True), tmp_path / "out.json"
    call(monkeypatch, measure_baselines, {"orders": [1, 3]}, **paths, out=out)
    rows = json.loads(out.read_text())["rows"]
    units = {"bits_per_byte"} | ({"nats_per_token"} if letter == "b" else set())
    assert {row["metric"] for row in rows} == units
    found = {(r["model"], r["split"], r["metric"]): r["value"] for r in rows}
    assert len(found) == len(rows) == 4 * 2 * len(units)
    assert {row["implementation"] for row in rows} == {"numpy", "xz"}
    for (model, split, metric), value in found.items():
        if metric == "nats_per_token":
            bits = found[model, split, "bits_per_byte"]
            nats = bits * math.log(2) * len(texts[split]) / (len(texts[split]) + 1)
            assert value == pytest.approx(nats)
    name = "Kneser-Ney {}-gram", "test", "bits_per_byte"
    assert found[(name[0].format(3), *name[1:])] < found[(name[0].format(1), *name[1:])]
