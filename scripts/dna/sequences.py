"""DNA as arrays: letters to tokens, the reader of GUE's CSV, splits."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.seeds import generator

LETTERS = "ACGTN"  # tokens 0 to 4
UNKNOWN, PAD, VOCABULARY = 4, 5, 6
# One token per nucleotide, in either case; 255 for every other byte.
_TOKENS = np.full(256, 255, np.uint8)
_TOKENS[[*LETTERS.encode(), *LETTERS.lower().encode()]] = [0, 1, 2, 3, UNKNOWN] * 2


def encode(sequence: str, where: str = "sequence") -> np.ndarray:
    """Tokens uint8 (L,) of letters. Raises InputError, which names `where` and the character."""
    if not sequence:
        raise InputError(f"{where}: expected nucleotides, found an empty sequence. Remove it.")
    # A character beyond latin-1 becomes "?", which is no nucleotide either.
    tokens = _TOKENS[np.frombuffer(sequence.encode("latin-1", errors="replace"), np.uint8)]
    if tokens.max() == 255:
        at = int(np.argmax(tokens == 255))
        found = f"{sequence[at]!r} as character {at + 1} of {len(sequence)}"
        raise InputError(f"{where}: expected one of {LETTERS}, found {found}. N is for unknown.")
    return tokens


def pad(sequences: Sequence[np.ndarray], length: int) -> np.ndarray:
    """Stack token arrays of any length <= `length` into uint8 (N, length), PAD on the right."""
    stacked = np.full((len(sequences), length), PAD, np.uint8)
    for row, tokens in zip(stacked, sequences, strict=True):
        row[: len(tokens)] = tokens
    return stacked


def read_labelled_csv(
    path: str | Path, max_length: int = 1000
) -> tuple[list[np.ndarray], np.ndarray]:
    """Read GUE's `sequence,label` file: tokens of each row, and labels int64 (N,).

    A byte-order mark and blank lines are skipped.
    Raises InputError that names file, line and what is wrong: header, number of fields, a label
    that is no integer >= 0, a letter that is no nucleotide, more than max_length letters (one long
    row would pad all others), no rows, text that is not UTF-8.
    """
    sequences, labels = [], []
    with Path(path).open(newline="", encoding="utf-8-sig") as opened:
        reader = csv.reader(opened)
        try:
            if (header := next(reader, None)) != ["sequence", "label"]:
                wrong = f"expected the header 'sequence,label', found {header!r}"
                raise InputError(f"{path} line 1: {wrong}. Fetch it again, or rename its columns.")
            for fields in filter(None, reader):
                where = f"{path} line {reader.line_num}"
                if len(fields) != 2:
                    wrong = f"expected 2 fields (sequence,label), found {len(fields)}"
                    raise InputError(f"{where}: {wrong}. Fetch the file again.")
                sequence, label = fields
                # isdecimal() also admits the digits of other scripts.
                if not (label.isascii() and label.isdecimal() and len(label) < 10):
                    wrong = f"expected a class number (0, 1, ...), found {label!r}"
                    raise InputError(f"{where}: {wrong}. Correct the label.")
                if (found := len(sequence)) > max_length:
                    wrong = f"expected at most max_length {max_length} letters, found {found}"
                    raise InputError(f"{where}: {wrong}. Cut the sequence, or raise max_length.")
                sequences.append(encode(sequence, where))
                labels.append(int(label))
        except UnicodeDecodeError as error:
            wrong = f"expected UTF-8 text in CSV, found: {error}"
            raise InputError(f"{path}: {wrong}. Fetch the file again.") from None
        except csv.Error as error:
            where = f"{path} line {reader.line_num}"
            raise InputError(f"{where}: expected a row of CSV, found: {error}. Cut it.") from None
    if not labels:
        raise InputError(f"{path}: expected rows below the header, found none. Fetch it again.")
    return sequences, np.array(labels, np.int64)


def middle(tokens: np.ndarray, length: int) -> np.ndarray:
    """At most `length` tokens out of the middle of tokens (L,): a copy, which does not keep a whole
    chromosome in memory."""
    begin = max(len(tokens) - length, 0) // 2
    return tokens[begin : begin + length].copy()


def complement(x: np.ndarray) -> np.ndarray:
    """The partner of each letter of tokens x; what is no letter stays."""
    return np.where(x < UNKNOWN, 3 - x, x)


def other_strands(x: np.ndarray) -> np.ndarray:
    """The reverse complements of tokens x (N, L): (N, L), padding on the right."""
    reverse, lengths = x.copy(), (x != PAD).sum(axis=1)  # (N, L), (N,)
    for length in np.unique(lengths):
        rows = lengths == length
        reverse[rows, :length] = x[rows, :length][:, ::-1]
    return complement(reverse)


def as_trained(x: np.ndarray, both_strands: bool) -> np.ndarray:
    """Tokens (N, L) for the comparison of x (N, L): equal where a training takes rows for one.

    A training on both strands reads a row or its reverse complement: the first by letters is taken.
    Shifts and hidden letters make no two rows one: they lose letters, so that what a training makes
    of a row is no other whole row, and a chain of shifts would join rows that share nothing.
    """
    if not both_strands:
        return x
    other = other_strands(x)
    first = (np.arange(len(x)), (x != other).argmax(axis=1))  # where the strands differ, per row
    return np.where((other[first] < x[first])[:, None], other, x)


def grouped_split(x: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into (train, val) indices, int64 and sorted; equal rows stay on one side.

    x (N, L): tokens. About `share` of the rows (never less, if there are groups enough) go to val:
    whole groups of equal sequences, in an order drawn by `seed`, but always at least one to train.
    """
    _, group = np.unique(x, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = generator(seed, "grouped_split").permutation(group.max() + 1)
    sizes = np.bincount(group)[order]
    taken = int(np.searchsorted(np.cumsum(sizes), share * len(x))) + 1 if share > 0 else 0
    chosen = np.isin(group, order[: min(taken, len(order) - 1)])
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def known_rows(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Bool (N,): which rows of x (N, L) are in others (M, L) too."""
    seen = {row.tobytes() for row in others}
    return np.array([row.tobytes() in seen for row in x], bool)
