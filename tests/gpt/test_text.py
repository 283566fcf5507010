"""Cleaning, splitting, tokenizing and windowing of text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt.corpora import (
    read_corpus,
    split_documents,
    stories_by_opening,
    stories_without_separator,
)
from gpt.text_cleaning import clean_story, deduplicate, paragraph_fingerprints, to_ascii
from gpt.token_windows import covering_windows, load_tokens, random_windows
from gpt.tokenizer import (
    BytePairTokenizer,
    CharacterTokenizer,
    load_tokenizer,
    token_stream,
)
from pipeline.errors import InputError

LONG = " ".join(["The little red hen went to the big river and sang a song."] * 8)


@pytest.mark.parametrize(
    "found, clean",
    [
        ("“Hi,” she said – it’s me…", '"Hi," she said - it\'s me...'),
        ("â€œHi,â€ she said. Itâ€™s me.", '"Hi," she said. It\'s me.'),
        ("â€œHi,â€\x9d he saidâ€”twice", '"Hi," he said-twice'),
        ("\ufeffcaf\u00e9\u00a0au lait", "caf au lait"),
        ("plain 'ASCII' stays", "plain 'ASCII' stays"),
    ],
)
def test_to_ascii(found, clean):
    assert to_ascii(found) == clean


def test_a_clean_story_has_one_paragraph_a_line():
    assert clean_story("\n One  day,\t a cat.  \n\n\nIt sat.\r\n") == "One day, a cat.\nIt sat."


@given(st.text(max_size=300))
def test_cleaning_is_idempotent_and_ascii(text):
    once = clean_story(text)
    assert once.isascii() and clean_story(once) == once


def test_duplicates_and_held_out_stories_go():
    other = LONG.replace("hen", "fox")
    held_out = paragraph_fingerprints(f"Another start.\n{LONG.upper()}\nAnother end.")
    stories = [other, other.replace("river", "River!"), "", f"New.\n{LONG}", "A cat."]
    assert deduplicate(stories, held_out) == [other, "A cat."]
    assert deduplicate(stories) == [other, f"New.\n{LONG}", "A cat."]


def test_stories_are_told_apart_without_separators():
    text = f"One. {LONG}\n\nMore of one.\nHe said.\nTwo. {LONG}\n\nMore of two."
    one, two = stories_without_separator(text)
    assert one.startswith("One.") and one.endswith("He said.") and two.startswith("Two.")
    assert stories_by_opening("x\n\nOnce a.\n\nOnly b.\n\n\nOnce c.\n") == [
        "x",
        "Once a.\n\nOnly b.",
        "Once c.",
    ]


def test_split_is_by_seed_disjoint_and_whole():
    documents = [str(number) for number in range(1000)]
    rest, taken = split_documents(documents, 0.01, seed=4)
    assert len(taken) == 10 and sorted(rest + taken, key=int) == documents
    assert (rest, taken) == split_documents(documents, 0.01, seed=4)
    assert taken != split_documents(documents, 0.01, seed=5)[1]
    assert rest == sorted(rest, key=int) and taken == sorted(taken, key=int), "in their old order"


def test_tinyshakespeare_is_split_as_nanogpt_does(tmp_path):
    path = tmp_path / "input.txt"
    path.write_text("abcdefghij" * 10)
    corpus = read_corpus("tinyshakespeare", [path], 0.1, 0)
    assert corpus.val[0] + corpus.train[0] == "abcdefghij" * 9
    assert len(corpus.val[0]) == 9 and corpus.test == ["abcdefghij"]
    assert corpus.split_names == {"test": "val"}


def write_tinystories(folder):
    def story(animal, place):
        return f"Once there was a {animal}.\n\n{LONG.replace('hen', animal)} {place}."

    (folder / "v1_train_first1000.txt").write_text(
        "\n".join(story(animal, "Sea") for animal in ("cat", "cow", "cut short"))
    )
    (folder / "v2gpt4_train_first10000lines.txt").write_text(
        "\n<|endoftext|>\n".join(story(animal, "Hill") for animal in ("dog", "fox", "hedgeho"))
    )
    (folder / "subset3000.json").write_text(
        json.dumps({"texts": [story("owl", "Wood"), story("cat", "Sea"), story("pig", "Lake")]})
    )
    (folder / "v1_valid_prefix.txt").write_text(
        "\n\n".join(["cut. " + LONG, story("pig", "Lake"), story("bee", "Sky"), "Once cut"])
    )
    return sorted(folder.iterdir())


def test_tinystories_drops_fragments_duplicates_and_held_out_stories(tmp_path):
    corpus = read_corpus("tinystories", write_tinystories(tmp_path), 0.2, 0)
    known = corpus.train + corpus.val
    animals = sorted(text.split(".")[0].split(" ")[-1] for text in known)
    assert animals == ["cat", "cow", "dog", "fox", "owl"] and len(corpus.val) == 1
    assert [text.split(".")[0].split(" ")[-1] for text in corpus.test] == ["pig", "bee"]


def test_bad_corpora_are_refused(tmp_path):
    (tmp_path / "input.txt").write_text("")
    with pytest.raises(InputError, match="found none in train"):
        read_corpus("tinyshakespeare", [tmp_path / "input.txt"], 0.1, 0)
    with pytest.raises(InputError, match="expected a raw file input.txt"):
        read_corpus("tinyshakespeare", [tmp_path / "other.txt"], 0.1, 0)
    with pytest.raises(InputError, match="expected one of"):
        read_corpus("tinyshakespear", [], 0.1, 0)
    (tmp_path / "input.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match="cannot be read"):
        read_corpus("tinyshakespeare", [tmp_path / "input.txt"], 0.1, 0)


BPE = BytePairTokenizer.train(["the cat sat on the mat", "the dog sat"], 280)


@given(st.lists(st.text(max_size=50) | st.just("<|endoftext|>"), max_size=4).map("".join))
def test_byte_pairs_bring_back_any_text_and_no_text_is_a_separator(text):
    assert BPE.decode(BPE.encode(text)) == text and BPE.separator not in BPE.encode(text)


def test_the_separators_letters_in_a_text_are_text(tmp_path):
    BPE.save(tmp_path / "t.json")
    for tokenizer in (BPE, load_tokenizer(tmp_path / "t.json")):
        assert token_stream(tokenizer, ["a <|endoftext|> b"]).count(0) == 2
    assert clean_story("A <|endoftext|> cat.") == "A <|endoftext|> cat."
    trained = BytePairTokenizer.train(["a <|endoftext|> b"] * 9, 300)
    assert trained.decode(trained.encode("<|endoftext|>")) == "<|endoftext|>"
    assert trained.separator not in trained.encode("<|endoftext|>")


def test_byte_pairs_merge_and_are_stored(tmp_path):
    assert len(BPE.encode("the cat")) < len("the cat") and BPE.vocab_size <= 280
    BPE.save(tmp_path / "t.json")
    again = load_tokenizer(tmp_path / "t.json")
    assert again.encode("the mat") == BPE.encode("the mat") and again.separator == 0
    assert again.decode([0]) == "<|endoftext|>"


def test_characters_round_trip_and_refuse_unknown_ones(tmp_path):
    tokenizer = CharacterTokenizer.train(["hello", "we"], separator=True)
    assert tokenizer.characters == "ehlow" and tokenizer.separator == 5
    tokenizer.save(tmp_path / "t.json")
    again = load_tokenizer(tmp_path / "t.json")
    assert again.decode(again.encode("wheel")) == "wheel" and again.vocab_size == 6
    with pytest.raises(InputError, match="val, document 2: .*'z' as character 3 of 5.*bpe"):
        token_stream(again, ["hello", "hezoo"], "val")


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path):
    twice = '{"kind": "characters", "characters": "aba", "separator": true}'
    for text in ("", "[]", "{}", '{"kind": "characters"}', twice):
        (tmp_path / "t.json").write_text(text)
        with pytest.raises(InputError, match="expected a tokenizer"):
            load_tokenizer(tmp_path / "t.json")


def test_stream_has_a_separator_around_every_story():
    stories = CharacterTokenizer("ab", separator=True)
    assert token_stream(stories, ["ab", "b"]) == [2, 0, 1, 2, 1, 2]
    assert token_stream(CharacterTokenizer("ab", separator=False), ["ab", "b"]) == [0, 1, 1]


@given(st.integers(2, 60), st.integers(1, 12), st.data())
def test_windows_count_every_token_but_the_first_once(length, context, data):
    stride = data.draw(st.integers(1, context))
    tokens = np.arange(length, dtype=np.uint16)
    counted = []
    for inputs, targets, last in covering_windows(tokens, context, stride):
        assert 1 <= last <= len(inputs) <= context and (targets == inputs + 1).all()
        # History: all there is, or at least context - stride tokens beside the one before.
        assert inputs[0] == 0 or len(inputs) == context
        counted += targets[-last:].tolist()
    assert counted == list(range(1, length))


def test_random_windows_are_moved_on_by_one_and_reach_both_ends():
    tokens = np.arange(20, dtype=np.uint16)
    inputs, targets = random_windows(tokens, np.random.default_rng(0), 500, 16)
    assert inputs.shape == (500, 16) and (targets == inputs + 1).all()
    assert inputs.min() == 0 and targets.max() == 19


def test_tokens_that_are_none_or_too_few_are_refused(tmp_path):
    path = tmp_path / "t.npy"
    path.write_bytes(b"no array")
    with pytest.raises(InputError, match="expected a .npy"):
        load_tokens(path, 4)
    with path.open("wb") as out:  # its header may be 4 GiB long
        np.lib.format.write_array(out, np.zeros(50, np.uint16), version=(2, 0))
    with pytest.raises(InputError, match=r"version \(2, 0\)"):
        load_tokens(path, 4)
    for bad in (np.zeros(5, np.uint16), np.zeros(50, np.int64), np.zeros((9, 9), np.uint16)):
        np.save(path, bad)
        with pytest.raises(InputError, match="at least 6 uint16"):
            load_tokens(path, 4)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(InputError, match="prompt: expected Unicode text"):
        BPE.encode("a\ud800", "prompt")
