"""Windows of a token stream: random ones to train on, an exact cover to evaluate on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from raw.prepared import again


def load_tokens(path: str | Path, context: int) -> np.ndarray:
    """Memory-map a stream of tokens (N,) uint16. Raises InputError if it is none or too short."""
    try:
        with Path(path).open("rb") as opened:
            # A later version's header may be gigabytes long; ours are version 1.0.
            if (version := np.lib.format.read_magic(opened)) != (1, 0):
                raise ValueError(f"version {version} of the format")
        tokens = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy reads the header with a parser that documents no closed list
        found = " ".join(str(error).split())
        raise InputError(
            f"{path}: expected a .npy of tokens, found: {found}. {again(path)}"
        ) from None
    if tokens.ndim != 1 or tokens.dtype != np.uint16 or len(tokens) < context + 2:
        raise InputError(
            f"{path}: expected at least {context + 2} uint16 tokens (one window), found"
            f" {tokens.dtype} {tokens.shape}. Choose a smaller context or a longer text, or:"
            f" {again(path)}"
        )
    return tokens


def random_windows(
    tokens: np.ndarray, generator: np.random.Generator, batch_size: int, context: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw B windows anywhere in the stream: inputs and targets, int64 (B, T) each.

    Targets are the inputs moved on by one token.
    """
    starts = generator.integers(0, len(tokens) - context, size=(batch_size, 1))  # (B, 1)
    windows = tokens[starts + np.arange(context + 1)].astype(np.int64)  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]


def covering_windows(
    tokens: np.ndarray, context: int, stride: int
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Windows in order, such that each token but the first is a counted target exactly once.

    Yields (inputs (T,), targets (T,), counted): only the last `counted` targets of a window count,
    those before are its history. stride = context gives disjoint windows; a smaller stride gives
    every counted token, but the first window's, at least context - stride tokens of history.
    """
    done, last = 1, len(tokens)
    while done < last:
        end = min(last, done + (context if done == 1 else stride))
        start = max(0, end - 1 - context)
        window = tokens[start:end].astype(np.int64)
        yield window[:-1], window[1:], end - done
        done = end
