"""A small grammar of children's stories, written for this project: it generates and it judges.

A story is made of choices (who, which toy, where, what happens) that return later in the text and
must agree: a name with its pronouns, an article with the word behind it, a toy with its colour, the
places searched, none twice. `tell` draws a story; `accepts` decides exactly whether a text is one:
it reads the choices off the text and generates the story of these choices again, letter by letter.
"""

import math
import re
from dataclasses import asdict, dataclass

import numpy as np

GIRLS = ("Anna", "Lily", "Mia", "Rose", "Sara", "Zoe")
BOYS = ("Ben", "Finn", "Leo", "Max", "Tim", "Tom")
TRAITS = ("brave", "clever", "eager", "happy", "kind", "little", "old", "shy")
COLOURS = ("blue", "green", "orange", "red", "white", "yellow")
TOYS = ("ball", "boat", "doll", "drum", "kite", "train")
PLACES = ("forest", "garden", "house", "park")
SPOTS = (
    "behind the door",
    "in the basket",
    "in the tall grass",
    "near the pond",
    "on the roof",
    "under the bed",
    "under the old tree",
)
WEATHER = ("rainy", "snowy", "sunny", "windy")
PLOTS = ("lost", "broken", "shared")


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

    def is_valid(self) -> bool:
        """Whether every choice is a word of the grammar and the choices go together."""
        return (
            self.plot in PLOTS
            and {self.name, self.friend} <= {*GIRLS, *BOYS}
            and self.name != self.friend
            and self.trait in TRAITS
            and self.colour in COLOURS
            and self.toy in TOYS
            and self.place in PLACES
            and self.weather in WEATHER
            and set(self.spots) <= set(SPOTS)
            and len(set(self.spots)) == len(self.spots)
            and len(self.spots) in ((1, 2, 3) if self.plot == "lost" else (0,))
        )


def render(story: Story) -> str:
    """The text of a story: one paragraph a line."""
    w = asdict(story)
    girl = story.name in GIRLS
    w["he"], w["him"], w["his"] = ("she", "her", "her") if girl else ("he", "him", "his")
    w["He"], w["His"] = w["he"].capitalize(), w["his"].capitalize()
    w["child"] = "girl" if girl else "boy"
    w["Fhe"] = "She" if story.friend in GIRLS else "He"
    w["a_trait"], w["a_colour"] = _article(story.trait), _article(story.colour)
    w["thing"], w["toy"] = story.toy, f"{story.colour} {story.toy}"
    beginning = (
        "Once upon a time there was {a_trait} {child} named {name}. {He} had {a_colour} {thing}."
        " Every day {he} played with {his} {toy} in the {place}."
    )
    middle = {
        "lost": "One {weather} day in the {place}, {name} could not find the {toy}. {He} was very"
        " sad. {His} friend {friend} wanted to help {him}.\n{search}",
        "broken": "One {weather} day in the {place}, the {toy} broke. {name} was very sad, and"
        ' {friend} came to help {him}. "Do not cry, {name}," said {friend}.\n{Fhe} worked all day'
        " until the {toy} was like new.",
        "shared": "One {weather} day in the {place}, {name} met {friend}, who had no toy. {Fhe}"
        ' looked at the {toy}. "Do you want to play with me?" asked {name}.\n{friend} was so glad'
        " that {Fhe_} laughed.",
    }[story.plot]
    end = (
        '"Thank you, {thanked}," said {thanking}. From that day on {name} and {friend} played in'
        " the {place} with the {toy}. They were the best of friends."
    )
    w["Fhe_"] = w["Fhe"].lower()
    w["search"] = " ".join(
        [f"They looked {spot}, but it was not there." for spot in story.spots[:-1]]
        + [f"They looked {spot}, and there it was!" for spot in story.spots[-1:]]
    )
    shared = story.plot == "shared"
    w["thanked"] = story.name if shared else story.friend
    w["thanking"] = story.friend if shared else story.name
    return "\n".join(part.format(**w) for part in (beginning, middle, end))


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def tell(generator: np.random.Generator) -> str:
    """Draw a story: every choice uniformly among those that go with the earlier ones."""
    plot = _draw(generator, PLOTS)
    name, friend = generator.choice([*GIRLS, *BOYS], 2, replace=False).tolist()
    searched = int(generator.integers(1, 4)) if plot == "lost" else 0
    spots = generator.choice(SPOTS, searched, replace=False).tolist()
    words = [_draw(generator, kind) for kind in (TRAITS, COLOURS, TOYS, PLACES, WEATHER)]
    trait, colour, toy, place, weather = words
    return render(Story(plot, name, friend, trait, colour, toy, place, weather, tuple(spots)))


def _draw(generator: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(generator.integers(len(words)))]


_CHOICES = {
    "trait": rf"^Once upon a time there was an? ({'|'.join(TRAITS)}) ",
    "name": r"^[^.]* named (\w+)\.",
    "colour": rf" had an? ({'|'.join(COLOURS)}) ",
    "toy": rf" had an? \w+ ({'|'.join(TOYS)})\.",
    "place": rf" in the ({'|'.join(PLACES)})\.",
    "weather": r"\nOne (\w+) day ",
    "friend": rf"({'|'.join((*GIRLS, *BOYS))}) (?:wanted to|came to)|, and (\w+) came| met (\w+),",
}


def parse(text: str) -> Story | None:
    """Read the choices off a text; None if one cannot be found. What it says is not yet judged."""
    words = {}
    for choice, pattern in _CHOICES.items():
        found = re.search(pattern, text)
        if found is None:
            return None
        words[choice] = next(group for group in found.groups() if group)
    spots = tuple(re.findall(r"They looked ([^,]*),", text))
    plot = "lost" if "They looked" in text else "broken" if " broke." in text else "shared"
    return Story(plot=plot, spots=spots, **words)


def accepts(text: str) -> bool:
    """Whether the grammar can tell exactly this text."""
    story = parse(text)
    return story is not None and story.is_valid() and render(story) == text


def count() -> int:
    """How many different stories there are."""
    names = len(GIRLS) + len(BOYS)
    searches = sum(int(np.prod(range(len(SPOTS) - k + 1, len(SPOTS) + 1))) for k in (1, 2, 3))
    others = len(TRAITS) * len(COLOURS) * len(TOYS) * len(PLACES) * len(WEATHER)
    return names * (names - 1) * others * (searches + len(PLOTS) - 1)


def entropy_bits() -> float:
    """The entropy in bits of a story that `tell` draws: on average no model can need fewer.

    Every choice is uniform given the earlier ones, and the text tells them all (`parse`), so by the
    chain rule the choices' entropies add up; the searched spots belong to one of the plots alone.
    """
    names = len(GIRLS) + len(BOYS)
    words = sum(math.log2(len(kind)) for kind in (TRAITS, COLOURS, TOYS, PLACES, WEATHER))
    searches = [math.log2(math.perm(len(SPOTS), searched)) for searched in (1, 2, 3)]
    search = math.log2(len(searches)) + sum(searches) / len(searches)
    return math.log2(len(PLOTS)) + math.log2(names * (names - 1)) + words + search / len(PLOTS)
