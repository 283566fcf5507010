"""A small grammar of children's stories, written for this project: it generates and it judges.

A story is made of choices (who, which toy, where, what happens) that return later in the text and
must agree: a name with its pronouns, an article with the word behind it, a toy with its colour, the
places searched, none twice. `tell` draws a story; `accepts` decides exactly whether a text is one:
it reads the choices off the text and generates the story of these choices again, letter by letter.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

GIRLS = ("Anna", "Lily", "Mia", "Rose", "Sara", "Zoe")
NAMES = (*GIRLS, "Ben", "Finn", "Leo", "Max", "Tim", "Tom")
WORDS = {
    "trait": ("brave", "clever", "eager", "happy", "kind", "little", "old", "shy"),
    "colour": ("blue", "green", "orange", "red", "white", "yellow"),
    "toy": ("ball", "boat", "doll", "drum", "kite", "train"),
    "place": ("forest", "garden", "house", "park"),
    "weather": ("rainy", "snowy", "sunny", "windy"),
}
SPOTS = (
    "behind the door", "in the basket", "in the tall grass", "near the pond", "on the roof",
    "under the bed", "under the old tree",
)  # fmt: skip
PLOTS = ("lost", "broken", "shared")
MOST_SEARCHED = 3  # spots


@dataclass(frozen=True)
class Story:
    """The choices of a story. spots: where they searched, the last one being where the toy was."""

    plot: str
    name: str
    friend: str
    trait: str
    colour: str
    toy: str
    place: str
    weather: str
    spots: tuple[str, ...]


def render(s: Story) -> str:
    """The text of a story: one paragraph a line."""
    he, him, his = ("she", "her", "her") if s.name in GIRLS else ("he", "him", "his")
    child = "girl" if s.name in GIRLS else "boy"
    other = "she" if s.friend in GIRLS else "he"
    thanked, thanking = (s.name, s.friend) if s.plot == "shared" else (s.friend, s.name)
    toy = f"{s.colour} {s.toy}"
    beginning = (
        f"Once upon a time there was {_article(s.trait)} {child} named {s.name}."
        f" {he.capitalize()} had {_article(toy)}."
        f" Every day {he} played with {his} {toy} in the {s.place}."
    )
    search = [f"They looked {spot}, but it was not there." for spot in s.spots[:-1]]
    search += [f"They looked {spot}, and there it was!" for spot in s.spots[-1:]]
    middle = {
        "lost": f"{s.name} could not find the {toy}. {he.capitalize()} was very sad."
        f" {his.capitalize()} friend {s.friend} wanted to help {him}.\n{' '.join(search)}",
        "broken": f"the {toy} broke. {s.name} was very sad, and {s.friend} came to help {him}."
        f' "Do not cry, {s.name}," said {s.friend}.\n{other.capitalize()} worked all day until the'
        f" {toy} was like new.",
        "shared": f"{s.name} met {s.friend}, who had no toy. {other.capitalize()} looked at the"
        f' {toy}. "Do you want to play with me?" asked {s.name}.\n{s.friend} was so glad that'
        f" {other} laughed.",
    }[s.plot]
    end = (
        f'"Thank you, {thanked}," said {thanking}. From that day on {s.name} and {s.friend} played'
        f" in the {s.place} with the {toy}. They were the best of friends."
    )
    return f"{beginning}\nOne {s.weather} day in the {s.place}, {middle}\n{end}"


def _article(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def tell(generator: np.random.Generator) -> str:
    """Draw a story: every choice uniformly among those that go with the earlier ones."""
    plot = str(generator.choice(PLOTS))
    name, friend = generator.choice(NAMES, 2, replace=False).tolist()
    searched = int(generator.integers(1, MOST_SEARCHED + 1)) if plot == "lost" else 0
    spots = generator.choice(SPOTS, searched, replace=False).tolist()
    words = {choice: str(generator.choice(known)) for choice, known in WORDS.items()}
    return render(Story(plot, name, friend, spots=tuple(spots), **words))


_ANY = {choice: f"({'|'.join(known)})" for choice, known in {"name": NAMES, **WORDS}.items()}
_CHOICES = {
    "trait": rf"^Once upon a time there was an? {_ANY['trait']} ",
    "name": rf"^[^.]* named {_ANY['name']}\.",
    "colour": rf" had an? {_ANY['colour']} ",
    "toy": rf" had an? \w+ {_ANY['toy']}\.",
    "place": rf" in the {_ANY['place']}\.",
    "weather": rf"\nOne {_ANY['weather']} day ",
    "friend": rf"{_ANY['name']}(?: wanted to| came to|, who)",
}


def parse(text: str) -> Story | None:
    """Read the choices off a text; None if one is missing or they do not go together."""
    found = {choice: re.search(pattern, text) for choice, pattern in _CHOICES.items()}
    if None in found.values():
        return None
    words = {choice: match[1] for choice, match in found.items()}
    spots = tuple(re.findall(r"They looked ([^,]*),", text))
    known_once = len({*spots} & {*SPOTS}) == len(spots) <= MOST_SEARCHED
    if words["name"] == words["friend"] or not known_once:
        return None
    plot = "lost" if spots else "broken" if " broke." in text else "shared"
    return Story(plot=plot, spots=spots, **words)


def accepts(text: str) -> bool:
    """Whether the grammar can tell exactly this text."""
    story = parse(text)
    return story is not None and render(story) == text


def entropy_bits() -> float:
    """The entropy in bits of a story that `tell` draws: on average no model can need fewer.

    Every choice is uniform given the earlier ones, and the text tells them all (`parse`), so by the
    chain rule the choices' entropies add up; the searched spots belong to one of the plots alone.
    """
    words = sum(math.log2(len(known)) for known in WORDS.values())
    searches = [math.log2(math.perm(len(SPOTS), k + 1)) for k in range(MOST_SEARCHED)]
    search = math.log2(MOST_SEARCHED) + sum(searches) / MOST_SEARCHED
    return math.log2(len(PLOTS) * math.perm(len(NAMES), 2)) + words + search / len(PLOTS)
