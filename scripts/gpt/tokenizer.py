"""Text to token numbers and back: characters, or byte-level BPE. Stored as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from gpt.text_cleaning import SEPARATOR
from pipeline.atomic import write_text
from pipeline.errors import InputError
from raw.prepared import again


class CharacterTokenizer:
    """One token a character; the separator, if it is used, is one token more, the last."""

    def __init__(self, characters: str, separator: bool):
        self.characters = characters
        self.vocab_size = len(characters) + separator
        self.separator = len(characters) if separator else None
        self._numbers = {character: number for number, character in enumerate(characters)}

    @classmethod
    def train(cls, documents: Iterable[str], separator: bool) -> "CharacterTokenizer":
        """The tokenizer of exactly the characters that occur, in code point order."""
        return cls("".join(sorted(set().union(*documents))), separator)

    def encode(self, text: str, where: str = "text") -> list[int]:
        """Token numbers. Raises InputError, which names `where`, for an unknown character."""
        try:
            return [self._numbers[character] for character in text]
        except KeyError as error:
            found = error.args[0]
            place = f"{found!r} as character {text.index(found) + 1} of {len(text)}"
            raise InputError(
                f"{where}: expected characters of the training text, found {place}. Leave it out,"
                " or use tokenizer: bpe, which reads every text."
            ) from None

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; a separator is written out."""
        table = (*self.characters, SEPARATOR)
        return "".join(table[token] for token in tokens)

    def save(self, path: str | Path) -> None:
        """Write the vocabulary as JSON."""
        value = {"kind": "characters", "characters": self.characters}
        value["separator"] = self.separator is not None
        write_text(path, json.dumps(value, indent=1) + "\n")


class BytePairTokenizer:
    """Byte-level byte-pair encoding (Sennrich et al. 2016; on bytes: Radford et al. 2019).

    Every text can be encoded, since the 256 bytes are tokens. The separator, if it is used, is
    token 0, which no text holds: its letters in a text are letters.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer):
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True
        self.vocab_size = tokenizer.get_vocab_size()
        self.separator = 0 if tokenizer.id_to_token(0) == SEPARATOR else None

    @classmethod
    def train(
        cls, documents: Iterable[str], vocab_size: int, separator: bool = True
    ) -> "BytePairTokenizer":
        """Merge the most frequent pairs of `documents` until there are vocab_size tokens."""
        tokenizer = tokenizers.Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        first = {"special_tokens": [SEPARATOR] * separator, "initial_alphabet": alphabet}
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, **first)
        tokenizer.train_from_iterator(documents, trainer)
        return cls(tokenizer)

    def encode(self, text: str, where: str = "text") -> list[int]:
        """Token numbers. Raises InputError, which names `where`, for half a surrogate pair."""
        try:
            return self.tokenizer.encode(text).ids
        except (TypeError, UnicodeError):
            found = ascii(text[:40])
            raise InputError(
                f"{where}: expected Unicode text, found {found}. Correct it."
            ) from None

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; a separator is written out."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=False)

    def save(self, path: str | Path) -> None:
        """Write vocabulary and merges as the tokenizers library's JSON."""
        write_text(path, self.tokenizer.to_str(pretty=True) + "\n")


Tokenizer = CharacterTokenizer | BytePairTokenizer


def read_tokenizer(value: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer whose `save` wrote this JSON. Raises an exception of any kind if it is none."""
    if value.get("kind") != "characters":
        return BytePairTokenizer(tokenizers.Tokenizer.from_str(json.dumps(value)))
    characters, separator = value["characters"], value["separator"]
    if type(characters) is not str or type(separator) is not bool:
        raise ValueError("characters that are no text")
    if len(set(characters)) < len(characters):
        raise ValueError("a character that is there twice")
    return CharacterTokenizer(characters, separator)


def load_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer that `save` wrote. Raises InputError if the file holds none."""
    try:
        return read_tokenizer(json.loads(Path(path).read_text(encoding="utf-8")))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path}: expected a tokenizer, found: {error}. {again(path)}") from None


def token_stream(tokenizer: Tokenizer, documents: list[str], split: str = "text") -> list[int]:
    """One stream: with a separator it starts and ends with one and each document is followed by
    one; without, the documents' tokens follow each other.
    """
    end = [] if tokenizer.separator is None else [tokenizer.separator]
    stream = [*end]
    for number, document in enumerate(documents, start=1):
        stream += tokenizer.encode(document, f"{split}, document {number}") + end
    return stream


def split_stream(tokenizer: Tokenizer, stream: Sequence[int]) -> list[str]:
    """The documents of what `token_stream` made; without a separator it is one text."""
    if tokenizer.separator is None:
        return [tokenizer.decode(stream)]
    documents, start = [], 0
    for place, token in enumerate(stream):
        if token == tokenizer.separator:
            documents.append(tokenizer.decode(stream[start:place]))
            start = place + 1
    return documents[1:]
