"""The story grammar tells what it accepts, and nothing else."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt import story_grammar
from gpt.story_grammar import NAMES, SPOTS, Story, accepts, entropy_bits, parse, tell

SEEDS = st.integers(0, 2**32 - 1)
COLOURS = story_grammar.WORDS["colour"]
WORDS = (*NAMES, *COLOURS, "he", "she", "her", "his", "him", "He", "She", "a", "an", "girl")


def story(seed):
    return tell(np.random.default_rng(seed))


@given(SEEDS)
def test_every_told_story_is_accepted_and_read_back(seed):
    text = story(seed)
    assert accepts(text)
    assert story_grammar.render(parse(text)) == text


@given(SEEDS, st.data())
def test_one_changed_word_is_rejected(seed, data):
    """Every choice comes back in the text, so another word in one place breaks an agreement.

    Only trait, weather and one searched spot stand in the text once: those are left alone.
    """
    words = story(seed).split(" ")
    positions = [i for i, word in enumerate(words) if word in WORDS]
    place = data.draw(st.sampled_from(positions))
    other = data.draw(st.sampled_from([word for word in WORDS if word != words[place]]))
    words[place] = other
    assert not accepts(" ".join(words))


@given(SEEDS, st.data())
def test_a_removed_or_doubled_letter_is_rejected(seed, data):
    text = story(seed)
    place = data.draw(st.integers(0, len(text) - 1))
    assert not accepts(text[:place] + text[place + 1 :])
    assert not accepts(text[:place] + text[place] + text[place:])


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text):
    assert accepts(text) is False


WORKED = Story("lost", "Anna", "Tom", "old", "orange", "kite", "park", "windy", SPOTS[:2])


def test_worked_example():
    text = story_grammar.render(WORKED)
    assert text.startswith(
        "Once upon a time there was an old girl named Anna. She had an orange kite."
        " Every day she played with her orange kite in the park.\n"
    )
    assert f"They looked {SPOTS[0]}, but it was not there." in text
    assert f"They looked {SPOTS[1]}, and there it was!" in text
    assert accepts(text)


@pytest.mark.parametrize(
    "found, put",
    [
        ("She had", "He had"),
        ("Thank you, Tom", "Thank you, Ben"),
        (SPOTS[1], SPOTS[0]),
        ("an orange", "a orange"),
        ("windy", "frosty"),
        ("best of friends.", "best of friends. The end."),
    ],
)
def test_what_does_not_agree_is_rejected(found, put):
    text = story_grammar.render(WORKED)
    changed = text.replace(found, put)
    assert changed != text and not accepts(changed)


def test_the_same_seed_tells_the_same_story_and_there_are_many():
    assert story(3) == story(3)
    assert len({story(seed) for seed in range(300)}) == 300
    assert 2 ** entropy_bits() > 1_000_000  # what StoriesSpec allows at most


@pytest.fixture
def smaller(monkeypatch):
    """A grammar of two names, three spots, one word of every other kind."""
    one_each = {kind: words[:1] for kind, words in story_grammar.WORDS.items()}
    spots = ("on the roof", "under the bed", "near the pond")
    for name, words in {"NAMES": ("Anna", "Tom"), "WORDS": one_each, "SPOTS": spots}.items():
        monkeypatch.setattr(story_grammar, name, words)


def test_a_smaller_grammar_by_enumeration(smaller):
    told = {story(seed) for seed in range(1500)}
    # Searches of 1, 2 or 3 of 3 spots in order: 3 + 6 + 6; two ordered pairs of names.
    assert len(told) == 2 * (3 + 6 + 6 + 2)


def test_entropy_is_that_of_what_is_told(smaller):
    """34 stories are log2 34 = 5.09 bits only if all were equally likely: plots are."""
    told = Counter(story(seed) for seed in range(3000))
    shares = np.array(list(told.values())) / told.total()
    bits = entropy_bits()
    found = -(shares * np.log2(shares)).sum()
    deviation = np.sqrt((shares * (np.log2(shares) + found) ** 2).sum() / told.total())
    assert abs(bits - found) < 4 * deviation < 0.2
    # Plot, order of the names; one of three plots: how many spots, then which of 3, 6 and 6.
    expected = np.log2(3) + 1 + (np.log2(3) + np.log2([3, 6, 6]).mean()) / 3
    assert bits == pytest.approx(expected)
