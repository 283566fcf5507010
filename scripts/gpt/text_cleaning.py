"""From text as it was found to plain ASCII stories, one paragraph a line."""

import re

SEPARATOR = "<|endoftext|>"

# What UTF-8's three bytes of a typographic sign look like when they were read as Windows-1252 and
# written as UTF-8 again. The closing quote's last byte has no sign there and was lost.
_DOUBLY_ENCODED = {
    "â€œ": '"', "â€\x9d": '"', "â€™": "'", "â€˜": "'", "â€“": "-", "â€”": "-",
    "â€¦": "...", "â€Š": " ", "â€": '"',
}  # fmt: skip
_TYPOGRAPHIC = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...",
    "\u00a0": " ", "\u200a": " ", "\u200b": "", "\ufeff": "",
}  # fmt: skip


def to_ascii(text: str) -> str:
    """Curly quotes, dashes and their doubly encoded forms to ASCII; other non-ASCII is dropped."""
    for found, plain in (*_DOUBLY_ENCODED.items(), *_TYPOGRAPHIC.items()):
        text = text.replace(found, plain)
    return text.encode("ascii", "ignore").decode("ascii")


def clean_story(text: str) -> str:
    """ASCII, one paragraph a line, no blank lines, single spaces."""
    lines = to_ascii(text).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def fingerprint(text: str) -> str:
    """What stays of a text when case, punctuation and spacing are put aside: letters and digits."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def paragraph_fingerprints(story: str, at_least: int = 80) -> set[str]:
    """The fingerprints of a clean story's paragraphs that are long enough to tell stories apart."""
    found = {fingerprint(line) for line in story.split("\n")}
    return {key for key in found if len(key) >= at_least}


def deduplicate(stories: list[str], forbidden: set[str] = frozenset()) -> list[str]:
    """Keep the first of equal stories, and none that shares a long paragraph with `forbidden`.

    forbidden: paragraph fingerprints of a held-out text. Equality is that of fingerprints.
    """
    kept: dict[str, str] = {}
    for story in stories:
        if not paragraph_fingerprints(story) & forbidden:
            kept.setdefault(fingerprint(story), story)
    return [story for key, story in kept.items() if key]
