"""Readers of text where test_text.py does not look: ends of ranges, defaults, each split's own."""

import json

import numpy as np
import pytest

from gpt.corpora import SHORTEST_STORY, read_corpus, split_documents, stories_without_separator
from gpt.story_grammar import entropy_bits
from gpt.text_cleaning import (
    SEPARATOR,
    clean_story,
    deduplicate,
    fingerprint,
    paragraph_fingerprints,
)
from gpt.token_windows import covering_windows, load_tokens, random_windows
from gpt.tokenizer import BytePairTokenizer, CharacterTokenizer, load_tokenizer, token_stream
from pipeline.errors import InputError


def test_a_fingerprint_keeps_letters_and_digits():
    assert fingerprint("It's 9 o'clock,\nTOM!") == "its9oclocktom"


def test_a_paragraph_tells_stories_apart_from_80_letters_on():
    story = "\n".join(["a " * 79, "B-" * 80, "c" * 81, "d"])
    assert paragraph_fingerprints(story) == {"b" * 80, "c" * 81}
    assert paragraph_fingerprints(story, at_least=1) == {"a" * 79, "b" * 80, "c" * 81, "d"}
    assert deduplicate(["e" * 80, "f" * 79], {"e" * 80, "f" * 79}) == ["f" * 79]


def test_a_piece_of_fewer_letters_than_a_story_joins_the_one_before():
    first, short, whole = "a" * 300, "b" * (SHORTEST_STORY - 1), "c" * SHORTEST_STORY
    text = "\n".join(["d", first, short, whole])
    assert stories_without_separator(text) == ["d", f"{first}\n{short}", whole]


@pytest.mark.parametrize(("share", "count"), [(0.001, 1), (0.1, 1), (0.3, 3), (0.26, 3)])
def test_a_split_takes_its_share_and_never_nothing(share, count):
    documents = [f"{number}" for number in range(10)]
    rest, taken = split_documents(documents, share, 7)
    assert len(taken) == count and len(rest) == 10 - count
    assert rest == sorted(rest) and taken == sorted(taken)


def test_the_stories_of_the_grammar_are_in_one_split_each(tmp_path):
    stories = [f"Story number {number} of a cat." for number in range(100)]
    path = tmp_path / "stories.txt"
    path.write_text(f"\n{SEPARATOR}\n".join([*stories, stories[0]]))
    corpus = read_corpus("grammar_stories", [path], 0.1, 3)
    assert [len(part) for part in (corpus.train, corpus.val, corpus.test)] == [81, 9, 10]
    assert sorted(corpus.train + corpus.val + corpus.test) == sorted(stories)
    assert corpus.stories and corpus.split_names == {}
    size = sum(len(story) for story in corpus.test) / 10
    floor = entropy_bits() / size
    assert f"hold {entropy_bits():.2f} bits, {floor:.4f} bits per byte" in corpus.notes
    rest, test = split_documents(stories, 0.1, 3)
    assert corpus.test == test and (corpus.train, corpus.val) == split_documents(rest, 0.1, 4)


def test_the_texts_of_tinyshakespeare_are_no_stories(tmp_path):
    (tmp_path / "input.txt").write_text("".join(chr(97 + i % 26) for i in range(1000)))
    corpus = read_corpus("tinyshakespeare", [tmp_path / "input.txt"], 0.25, 0)
    assert not corpus.stories
    lengths = [len("".join(part)) for part in (corpus.train, corpus.val, corpus.test)]
    assert lengths == [675, 225, 100]


def test_every_split_needs_text(tmp_path):
    path = tmp_path / "input.txt"
    path.write_text("a" * 89 + " " * 1 + " \n" * 5)
    with pytest.raises(InputError, match="found none in test: a raw file is truncated"):
        read_corpus("tinyshakespeare", [path], 0.1, 0)
    path.write_text(" " * 10 + "a" * 80 + "b" * 10)
    with pytest.raises(InputError, match="found none in val: a raw file is truncated"):
        read_corpus("tinyshakespeare", [path], 0.1, 0)


def test_every_story_of_tinystories_is_clean(tmp_path):
    def story(animal):
        return f"Once  there was a {animal}.\n\nIt – the {animal} – sang" + " a song" * 40 + "."

    files = {
        "v1_train_first1000.txt": f"{story('cat')}\n{story('cow')}\ncut",
        "v2gpt4_train_first10000lines.txt": SEPARATOR.join([story("dog"), story("fox"), "cut"]),
        "subset3000.json": json.dumps({"texts": [story("owl"), story("hen")]}),
        "v1_valid_prefix.txt": f"cut\n\n{story('pig')}\n\n{story('bee')}\n\nOnce cut",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    corpus = read_corpus("tinystories", sorted(tmp_path.iterdir()), 0.2, 0)
    found = [*corpus.train, *corpus.val, *corpus.test]
    assert len(found) == 7 and len(corpus.test) == 2
    assert [clean_story(text) for text in found] == found


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_subset_of_another_form_is_refused(tmp_path, text):
    for name in ("v1_train_first1000", "v2gpt4_train_first10000lines", "v1_valid_prefix"):
        (tmp_path / f"{name}.txt").write_text("Once. " * 60)
    (tmp_path / "subset3000.json").write_text(text)
    with pytest.raises(InputError, match="tinystories: a raw text cannot be read"):
        read_corpus("tinystories", sorted(tmp_path.iterdir()), 0.1, 0)


def test_characters_with_and_without_a_separator(tmp_path):
    for separator in (True, False):
        tokenizer = CharacterTokenizer.train(["ba", "c"], separator)
        tokenizer.save(tmp_path / "t.json")
        stored = json.loads((tmp_path / "t.json").read_text())
        assert stored == {"kind": "characters", "characters": "abc", "separator": separator}
        again = load_tokenizer(tmp_path / "t.json")
        assert isinstance(again, CharacterTokenizer)
        assert (again.vocab_size, again.separator) == ((4, 3) if separator else (3, None))
        assert again.encode("cab") == [2, 0, 1]
        if separator:
            assert again.decode([3, 0, 3]) == f"{SEPARATOR}a{SEPARATOR}"


@pytest.mark.parametrize("change", [{"characters": ["a"]}, {"separator": 1}, {"separator": None}])
def test_a_tokenizer_file_of_other_types_is_refused(tmp_path, change):
    value = {"kind": "characters", "characters": "ab", "separator": True, **change}
    (tmp_path / "t.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match="expected a tokenizer, found: .*characters that are no"):
        load_tokenizer(tmp_path / "t.json")


def test_byte_pairs_know_every_byte_and_add_no_space(tmp_path):
    tokenizer = BytePairTokenizer.train(["aaaa"], 300)
    assert tokenizer.vocab_size >= 257 and tokenizer.separator == 0
    assert "".join(tokenizer.decode([token]) for token in tokenizer.encode(" a")) == " a"
    assert len(tokenizer.encode("z")) == 1 and len(tokenizer.encode("語")) == 3
    tokenizer.save(tmp_path / "t.json")
    assert len((tmp_path / "t.json").read_text(encoding="utf-8").splitlines()) > 256
    full = BytePairTokenizer.train(["the cat and the dog and the cow"] * 3, 262)
    assert full.vocab_size == 262
    assert token_stream(full, ["z"]) == [0, *full.encode("z"), 0]


def test_windows_need_one_token_more_than_they_predict(tmp_path):
    path = tmp_path / "t.npy"
    np.save(path, np.arange(6, dtype=np.uint16))
    assert load_tokens(path, 4).tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(InputError, match="at least 7 uint16 tokens"):
        load_tokens(path, 5)
    inputs, targets = random_windows(load_tokens(path, 4), np.random.default_rng(0), 3, 4)
    assert inputs.dtype == targets.dtype == np.int64 and inputs.shape == targets.shape == (3, 4)


def test_covering_windows_by_hand():
    tokens = np.arange(8, dtype=np.uint16)
    found = [(x.tolist(), y.tolist(), n) for x, y, n in covering_windows(tokens, 4, 2)]
    assert found == [
        ([0, 1, 2, 3], [1, 2, 3, 4], 4),
        ([2, 3, 4, 5], [3, 4, 5, 6], 2),
        ([3, 4, 5, 6], [4, 5, 6, 7], 1),
    ]
    assert next(covering_windows(tokens, 4, 2))[0].dtype == np.int64
    assert list(covering_windows(tokens[:1], 4, 2)) == []
