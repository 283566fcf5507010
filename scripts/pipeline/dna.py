"""DNA as arrays: letters to tokens, the readers of GUE's CSV and of StatLog's R data, splits."""

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.seeds import generator

LETTERS = "ACGTN"
UNKNOWN = 4
PAD = 5
VOCABULARY = 6
STATLOG_CLASSES = ("ei", "ie", "n")
STATLOG_TRAIN = 2000
# mlbench's documentation of `DNA`: three indicator bits a nucleotide.
STATLOG_BITS = {(1, 0, 0): 0, (0, 1, 0): 1, (0, 0, 1): 2, (0, 0, 0): 3}


class Tokenizer:
    """One token a nucleotide: A, C, G, T = 0..3 in either case, N (unknown) = 4, padding = 5."""

    def __init__(self) -> None:
        self.table = np.full(256, 255, np.uint8)
        for token, letter in enumerate(LETTERS):
            self.table[[ord(letter), ord(letter.lower())]] = token

    def encode(self, sequence: str, where: str = "sequence") -> np.ndarray:
        """Return uint8 tokens (L,). Raises InputError, which names `where` and the character."""
        if not sequence:
            raise InputError(f"{where}: expected nucleotides, found an empty sequence. Remove it.")
        # A character beyond latin-1 becomes "?", which is no nucleotide either.
        letters = np.frombuffer(sequence.encode("latin-1", errors="replace"), np.uint8)
        tokens = self.table[letters]
        if tokens.max() == 255:
            at = int(np.argmax(tokens == 255))
            raise InputError(
                f"{where}: expected one of {LETTERS} (or lower case), found {sequence[at]!r} as "
                f"character {at + 1} of {len(sequence)}. Correct the file or write N for unknown."
            )
        return tokens

    def decode(self, tokens: np.ndarray) -> str:
        """The letters of `tokens`, padding left out."""
        return "".join(LETTERS[token] for token in tokens if token != PAD)


def pad(sequences: Sequence[np.ndarray], length: int) -> np.ndarray:
    """Stack token arrays of any length <= `length` into uint8 (N, length), PAD on the right."""
    stacked = np.full((len(sequences), length), PAD, np.uint8)
    for row, tokens in zip(stacked, sequences, strict=True):
        row[: len(tokens)] = tokens
    return stacked


def read_labelled_csv(path: str | Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Read GUE's `sequence,label` file: tokens of each row, and labels int64 (N,).

    Raises InputError that names file, line and what is wrong: header, number of fields, a label
    that is no integer >= 0, a letter that is no nucleotide, no rows, text that is not UTF-8.
    """
    tokenizer, sequences, labels = Tokenizer(), [], []
    try:
        with Path(path).open(newline="", encoding="utf-8") as opened:
            reader = csv.reader(opened)
            header = next(reader, None)
            if header != ["sequence", "label"]:
                raise InputError(
                    f"{path} line 1: expected the header 'sequence,label', found {header!r}. "
                    "Fetch the file again, or rename its columns."
                )
            for fields in reader:
                where = f"{path} line {reader.line_num}"
                if len(fields) != 2:
                    raise InputError(
                        f"{where}: expected 2 fields (sequence,label), found {len(fields)}. "
                        "Fetch the file again."
                    )
                # isdecimal() alone would admit the digits of other scripts.
                if not (fields[1].isascii() and fields[1].isdecimal() and len(fields[1]) < 10):
                    raise InputError(
                        f"{where}: expected a class number (0, 1, ...), found {fields[1]!r}. "
                        "Correct the label."
                    )
                sequences.append(tokenizer.encode(fields[0], where))
                labels.append(int(fields[1]))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: expected UTF-8 text in CSV, found: {error}. Fetch the file again."
        ) from None
    if not labels:
        raise InputError(f"{path}: expected rows below the header, found none. Fetch it again.")
    return sequences, np.array(labels, np.int64)


def statlog_tokens(bits: np.ndarray) -> np.ndarray:
    """Indicator bits (N, 3 L) of 0 and 1 -> tokens uint8 (N, L): A=100, C=010, G=001, T=000.

    Raises InputError for anything else, naming row and nucleotide.
    """
    triples = np.asarray(bits).reshape(len(bits), -1, 3)
    tokens = np.full(triples.shape[:2], 255, np.uint8)
    for pattern, token in STATLOG_BITS.items():
        tokens[(triples == pattern).all(axis=2)] = token
    if (tokens == 255).any():
        row, at = np.argwhere(tokens == 255)[0]
        raise InputError(
            f"row {row + 1}, nucleotide {at + 1}: expected bits 100, 010, 001 or 000, "
            f"found {triples[row, at].tolist()}. Fetch the file again."
        )
    return tokens


def read_statlog(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read mlbench's DNA.rda: tokens uint8 (3186, 60) and labels int64 (N,), ei, ie, n = 0, 1, 2.

    Raises InputError if the file is no R data or not this table.
    """
    import rdata

    try:
        with warnings.catch_warnings():
            # The file does not state its encoding; all of its text is ASCII.
            warnings.filterwarnings("ignore", message="Unknown encoding")
            frame = rdata.read_rda(path)["DNA"]
        bits = frame.drop(columns="Class").astype(str).to_numpy()
        names = frame["Class"].astype(str).tolist()
    except Exception as error:  # the parser raises many kinds, all of them about this file
        raise InputError(
            f"{path}: expected R data with the table DNA (V1..V180, Class), found: "
            f"{type(error).__name__}: {error}. Fetch the file again."
        ) from None
    strangers = sorted({*names} - {*STATLOG_CLASSES})
    if bits.shape[1] != 180 or len(bits) <= STATLOG_TRAIN or strangers:
        raise InputError(
            f"{path}: expected more than {STATLOG_TRAIN} rows of 180 bits, classes "
            f"{STATLOG_CLASSES}; found {bits.shape}, strange classes {strangers}. Fetch it again."
        )
    try:
        tokens = statlog_tokens(np.where(bits == "1", 1, np.where(bits == "0", 0, -1)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return tokens, np.array([STATLOG_CLASSES.index(name) for name in names], np.int64)


def grouped_split(x: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into (train, dev) indices, int64 and sorted; equal rows stay on one side.

    x (N, L): tokens. About `share` of the rows (never less, if there are groups enough) go to dev:
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
    """Bool (N,): which rows of x (N, L) also stand in others (M, L)."""
    seen = {row.tobytes() for row in others}
    return np.array([row.tobytes() in seen for row in x], bool)
