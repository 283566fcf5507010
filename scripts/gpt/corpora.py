"""The texts of each data set, split into train, val and test: lists of documents."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from gpt.story_grammar import entropy_bits
from gpt.text_cleaning import SEPARATOR, clean_story, deduplicate, paragraph_fingerprints, to_ascii
from pipeline.errors import InputError
from pipeline.seeds import generator

# A piece of the file without separators that is shorter than this (characters) is no whole story.
SHORTEST_STORY = 250


@dataclass(frozen=True)
class Corpus:
    """Documents of each split. split_names: what the published protocol calls our split.

    stories: whether the documents are stories with a separator between them; otherwise each split
    is one running text.
    """

    train: list[str]
    val: list[str]
    test: list[str]
    notes: str
    stories: bool = True
    split_names: dict[str, str] = field(default_factory=dict)


def split_documents(documents: list[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """Take `share` of the documents out by `seed`; returns (rest, taken), each in its old order."""
    count = max(1, round(share * len(documents)))
    taken = set(generator(seed, "split").permutation(len(documents))[:count].tolist())
    rest = [text for index, text in enumerate(documents) if index not in taken]
    return rest, [documents[index] for index in sorted(taken)]


def tinyshakespeare(paths: list[Path], val_share: float, seed: int) -> Corpus:
    """nanoGPT's split: the last 10 % of the characters are held out (it calls them val).

    The beginning of the first 90 % (val_share of them) is kept back to choose on, so that nothing
    at all is chosen on nanoGPT's val. Not the end: the held-out text goes on where it stops, in the
    middle of a play whose names are to be learned from the part before.
    """
    text = _read(paths, "input.txt")
    known, held_out = text[: int(0.9 * len(text))], text[int(0.9 * len(text)) :]
    start = round(val_share * len(known))
    notes = (
        "nanoGPT's split: the last 10 % of the characters are the row 'val'; the step is chosen"
        f" on the first {val_share:.0%} of the other 90 %, which are not trained on"
    )
    val, train = known[:start], known[start:]
    return Corpus([train], [val], [held_out], notes, stories=False, split_names={"test": "val"})


def stories_without_separator(text: str) -> list[str]:
    """The stories of a file where blank lines part paragraphs and plain line ends part stories.

    A few stories hold plain line ends too: a piece too short to be a story goes to the one before.
    """
    stories: list[str] = []
    for piece in re.split(r"(?<=\S)[ \t]*\n(?=\S)", text.strip()):
        if stories and len(piece) < SHORTEST_STORY:
            stories[-1] += "\n" + piece
        else:
            stories.append(piece)
    return stories


def stories_by_opening(text: str) -> list[str]:
    """The stories of a file whose only sign of a new one is its opening: "Once ..." after a blank.

    Stories that open otherwise stay joined to the one before: a harder text, never an easier one.
    """
    return re.split(r"\n\s*\n(?=Once\b)", text.strip())


def tinystories(paths: list[Path], val_share: float, seed: int) -> Corpus:
    """The stories of TinyStories that are here; test is the start of the official validation split.

    Truncated first and last pieces are dropped, duplicates too, and every training story that
    shares a long paragraph with the test text. val is split off the training stories by seed.
    """
    v1 = stories_without_separator(to_ascii(_read(paths, "v1_train_first1000.txt")))[:-1]
    v2 = _read(paths, "v2gpt4_train_first10000lines.txt").split(SEPARATOR)[:-1]
    found = [*v1, *v2, *json.loads(_read(paths, "subset3000.json"))["texts"]]
    held_out = stories_by_opening(to_ascii(_read(paths, "v1_valid_prefix.txt")))[1:-1]
    test = [clean_story(story) for story in held_out]
    forbidden = set().union(*map(paragraph_fingerprints, test))
    known = deduplicate([clean_story(story) for story in found], forbidden)
    notes = (
        f"{len(found)} stories found, {len(known)} left after duplicates and stories that are in"
        " the test text; test is the start of the official validation split; losses do not compare"
        " with those of models trained on all of TinyStories; bytes are those of the cleaned text,"
        " which is ASCII: typographic signs were replaced, other signs dropped"
    )
    return Corpus(*split_documents(known, val_share, seed), deduplicate(test), notes)


def grammar_stories(paths: list[Path], val_share: float, seed: int) -> Corpus:
    """The grammar's stories, with SEPARATOR between them: val and test are split off by seed.

    Equal stories count once, so that none is in two splits. The notes hold the entropy of what the
    grammar generates.
    """
    found = _read(paths, paths[0].name).split(SEPARATOR)
    known = deduplicate([clean_story(story) for story in found])
    rest, test = split_documents(known, val_share, seed)
    floor = entropy_bits() * len(test) / max(1, sum(len(story.encode()) for story in test))
    notes = (
        f"made by a grammar; splits share no story; a story's choices hold {entropy_bits():.2f}"
        f" bits, {floor:.4f} bits per byte of test: the floor of every model's expected loss"
    )
    return Corpus(*split_documents(rest, val_share, seed + 1), test, notes)


def blocks(text: str) -> list[str]:
    """A running text in about a hundred pieces that end where a paragraph does, or else a line.

    A line that is longer than two pieces is cut.
    """
    size = min(max(len(text) // 100, 200), 5000)
    found = [""]
    for piece in re.findall(rf"[^\n]{{1,{2 * size}}}\n*|\n+", text):
        full = len(found[-1]) >= size and found[-1].endswith("\n\n")
        if full or len(found[-1]) >= 2 * size:
            found.append("")
        found[-1] += piece
    return found


def own(paths: list[Path], val_share: float, seed: int) -> Corpus:
    """A text of one's own (gpt.own_text): val and test are split off by seed, val_share each.

    Of documents whole ones, each once; of a running text blocks of paragraphs.
    """
    value = json.loads(_read(paths, paths[0].name))
    running, documents = value["running"], [*value["documents"].values()]
    known = blocks(documents[0]) if running else [*dict.fromkeys(map(str.strip, documents))]
    if len(known) < 3:
        raise InputError(
            f"{paths[0]}: expected a text of some thousand characters, found a shorter"
        )
    rest, test = split_documents(known, val_share, seed)
    splits = [*split_documents(rest, val_share, seed + 1), test]
    if running:
        splits = [["".join(texts)] for texts in splits]
    what = "blocks of paragraphs" if running else "documents, equal ones taken once"
    return Corpus(*splits, f"your own text; val and test are other {what}", stories=not running)


READERS = {read.__name__: read for read in (tinyshakespeare, tinystories, grammar_stories, own)}


def read_corpus(dataset: str, paths: list[Path], val_share: float, seed: int) -> Corpus:
    """The corpus of `dataset` from its raw files. Raises InputError if a split has no text."""
    read = READERS.get(dataset.partition("/")[0])
    if read is None:
        raise InputError(f"no text data set {dataset!r}: expected one of {sorted(READERS)}")
    try:
        corpus = read(paths, val_share, seed)
    except InputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{dataset}: a raw text cannot be read: {error}. Fetch it again."
        ) from None
    for split in ("train", "val", "test"):
        if not "".join(getattr(corpus, split)).strip():
            wrong = f"expected text in every split, found none in {split}"
            raise InputError(f"{dataset}: {wrong}: a raw file is truncated. Fetch the files again.")
    return corpus


def _read(paths: list[Path], name: str) -> str:
    for path in paths:
        if path.name == name:
            return path.read_text(encoding="utf-8")
    raise InputError(f"expected a raw file {name}, found {[path.name for path in paths]}")
