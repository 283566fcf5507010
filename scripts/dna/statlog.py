"""StatLog's splice junctions as R's mlbench packs them: indicator bits to nucleotides."""

import warnings
from pathlib import Path

import numpy as np
import rdata

from pipeline.errors import InputError

STATLOG_CLASSES = ("ei", "ie", "n")
STATLOG_TRAIN = 2000
# mlbench's documentation of `DNA`: three indicator bits a nucleotide.
STATLOG_BITS = {(1, 0, 0): 0, (0, 1, 0): 1, (0, 0, 1): 2, (0, 0, 0): 3}


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
        wrong = f"expected bits 100, 010, 001 or 000, found {triples[row, at].tolist()}"
        raise InputError(f"row {row + 1}, nucleotide {at + 1}: {wrong}. Fetch the file again.")
    return tokens


def read_statlog(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read mlbench's DNA.rda: tokens uint8 (3186, 60) and labels int64 (N,), ei, ie, n = 0, 1, 2.

    Raises InputError if the file is no R data or not this table.
    """
    try:
        with warnings.catch_warnings():
            # The file does not state its encoding; all of its text is ASCII.
            warnings.filterwarnings("ignore", message="Unknown encoding")
            frame = rdata.read_rda(path)["DNA"]
        bits = frame.drop(columns="Class").astype(str).to_numpy()
        labels = [STATLOG_CLASSES.index(name) for name in frame["Class"].astype(str)]
        if bits.shape[1] != 180 or len(bits) <= STATLOG_TRAIN:
            raise ValueError(f"{bits.shape}, not more than {STATLOG_TRAIN} rows of 180 bits")
        tokens = statlog_tokens(np.where(bits == "1", 1, np.where(bits == "0", 0, -1)))
    except Exception as error:  # the parser raises many kinds, all of them about this file
        raise InputError(
            f"{path}: expected R data with the table DNA (V1..V180, Class), found: "
            f"{type(error).__name__}: {error}. Fetch the file again."
        ) from None
    return tokens, np.array(labels, np.int64)
