"""Classify new sequences by a trained model, any number of them in constant memory.

    python -m dna.predict model.safetensors new.fasta             writes new.fasta.scores.csv

The file is FASTA or a table (CSV, TSV; its column of sequences is found by itself), plain or .gz.
Columns of the answer: id, prediction (the class), and p_<class>, its probability. Shape, strands
and classes are the model's own. Of a sequence that is longer than those of the training, the middle
is read; a model that gives each position its own weights (pooling flatten) refuses it. A shorter
one is filled up on the right, as in training.
"""

import csv
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from dna.model import predict_views
from dna.sequence_files import read_sequences
from dna.sequences import middle, pad
from dna.settings import PredictSpec, Stored
from dna.stored_model import load
from pipeline import settings
from pipeline.atomic import replacing
from pipeline.errors import InputError
from pipeline.torch_setup import setup
from torch_nn.dna_classifier import DNAClassifier

HELD, BATCH = 4096, 256  # sequences in memory, and in one step
INPUTS = {"MODEL": "model.safetensors of a training", "FILE": "new sequences: FASTA, CSV or TSV"}
OUTPUTS = {"out?": "scores as CSV; left out: <FILE>.scores.csv in this folder"}


def answers(model: DNAClassifier, tokens: list[np.ndarray], both_strands: bool) -> np.ndarray:
    """Class probabilities (N, K) of token arrays of any lengths, those of like length together."""
    device = next(model.parameters()).device
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    found = []
    for begin in range(0, len(order), BATCH):
        batch = [tokens[index] for index in order[begin : begin + BATCH]]
        x = torch.from_numpy(pad(batch, len(batch[-1])).astype(np.int64)).to(device)
        *_, probabilities = predict_views(model, x, both_strands).values()
        found.append(probabilities.cpu().numpy())
    answer = np.concatenate(found)
    answer[order] = answer.copy()
    return answer


def fitting(
    sequences: Iterable[tuple[str, np.ndarray]], about: Stored
) -> Iterator[tuple[str, np.ndarray, bool]]:
    """(id, tokens (L,), whether they were cut) with L <= about.length.

    Raises InputError where the model does not take longer sequences.
    """
    for name, tokens in sequences:
        cut = len(tokens) > about.length
        if cut and about.model.pooling == "flatten":
            wrong = f"expected at most {about.length} letters, found {len(tokens)}"
            raise InputError(
                f"{name}: {wrong}: this model reads sequences that are aligned to a site. Cut it as"
                " those of the training were."
            )
        yield name, middle(tokens, about.length), cut


def scored(
    model: DNAClassifier, about: Stored, source: Path, column: str | None
) -> Iterator[tuple[str, np.ndarray, bool]]:
    """(id, class probabilities (K,), whether it was cut) of each sequence of a file, HELD of them
    in memory."""
    rows = fitting(read_sequences(source, column), about)
    while held := list(itertools.islice(rows, HELD)):
        found = answers(model, [tokens for _, tokens, _ in held], about.both_strands)
        yield from ((name, p, cut) for (name, _, cut), p in zip(held, found, strict=True))


def write_scores(model: DNAClassifier, about: Stored, source: Path, out: Path, column: str | None):
    """Write the scores of the sequences of `source`; returns how many, and how many were cut."""
    count = cut = 0
    with replacing(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["id", "prediction", *(f"p_{name}" for name in about.classes)])
        for name, p, was_cut in scored(model, about, source, column):
            writer.writerow([name, about.classes[p.argmax()], *(f"{value:.6f}" for value in p)])
            count, cut = count + 1, cut + was_cut
    return count, cut


def main() -> None:
    args = settings.arguments(__doc__, PredictSpec, INPUTS, OUTPUTS)
    model, about = load(args.model, setup(0, args.spec.threads))
    out = args.out or Path(f"{args.file.name}.scores.csv")
    strands = "both strands" if about.both_strands else "this strand"
    print(f"model of {about.title}: {', '.join(about.classes)}; reads {strands}")
    count, cut = write_scores(model, about, args.file, out, args.spec.sequence)
    if cut:
        print(f"{cut:,} longer than {about.length:,} letters: their middle was read")
    print(f"{count:,} sequences -> {out}")


if __name__ == "__main__":
    settings.run(main)
