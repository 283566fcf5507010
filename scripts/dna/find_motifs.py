"""Find the motifs by which a model knows each class, from val sequences alone.

Of each class sequences are drawn at random. Those that the model classifies right are read again
and again, each letter replaced by the others (dna.mutagenesis); the strongest seqlets of them are
aligned (dna.motifs), and what comes out is compared with what is known (dna.known_motifs).

motifs.json, for a report to draw:
    {"title": ..., "model": ..., "both_strands": ..., "aligned": ...,
     "read": [{"class": name, "sequences": N, "right": n}],
     "motifs": [{"class": name, "letters": [[A, C, G, T], ...], "sequences": n, "of": N,
                 "begin": [quartiles], "place": p, "length": w, "effect": e, "in_class": s,
                 "elsewhere": s, "known": {"name", "consensus", "source", "score"}}],
     "profiles": [{"id": ..., "class": ..., "probability": p, "letters": "ACGT...",
                   "effects": [...], "marks": [[motif, begin, end], ...]}]}
A motif's letters are counts of its aligned seqlets. Its own letters, without those around them, are
the `length` ones from `place` on, and begin at `begin` of a sequence, from 1. effect: the mean fall
of the log-odds over its sequences. in_class and elsewhere: in which share of the val sequences of
the class, and of all others, a window fits; null for a motif of one place. known is null if none
fits. profiles: for each motif the sequence in which it mattered most; marks are half-open, from 0.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from dna.known_motifs import Known, best_match
from dna.model import TITLE
from dna.motifs import FLANK, WIDTH, WORD, Motif, background, motifs, occurs
from dna.mutagenesis import Explained, explain
from dna.sequences import LETTERS, PAD, pad
from dna.settings import MotifsSpec
from dna.stored_model import OF_DATA, load_all
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from raw.prepared import load_arrays, load_json

INPUTS = {"weights": "model.safetensors", "data": "sequences.npz", "meta": "meta.json"}
SCANNED = 2000  # sequences of a class, at most, in which a motif is looked for


def affordable(spec: MotifsSpec, classes: int, length: int, both_strands: bool) -> int:
    """How many sequences of `length` letters are read of each class: at least one."""
    letters = (1 + both_strands) * 3 * length**2  # each change of each letter, on each strand
    return max(1, min(spec.sequences, spec.most_letters // (classes * letters)))


def stacked(found: Sequence[Explained]) -> tuple[np.ndarray, np.ndarray]:
    """Tokens uint8 (N, L) and the mean effects of their letters (N, L), filled up with PAD and 0
    to the longest, or to the width of a motif."""
    length = max(WIDTH, *(len(one.tokens) for one in found))
    effects = np.zeros((len(found), length))
    for row, one in zip(effects, found, strict=True):
        row[: len(one.tokens)] = one.effects.mean(axis=1)
    return pad([one.tokens for one in found], length), effects


class Named(NamedTuple):
    """A motif on the strand of the known one that it is like, if any; its own letters, [place,
    place + length) of its window, are those of the known one, or else of the seed."""

    motif: Motif
    known: Known | None
    score: float
    place: int
    length: int

    def begins(self) -> np.ndarray:
        """Where its own letters begin in the sequence of each seqlet, (n,)."""
        turned = WIDTH - self.place - self.length
        return self.motif.begin + np.where(self.motif.strand, turned, self.place)


def named(motif: Motif, dataset: str, both_strands: bool) -> Named:
    """The motif with the name of the known one that fits it."""
    one_place = np.ptp(motif.begin) == 0
    match = best_match(motif.counts, dataset, both_strands, bool(one_place))
    if match is None:
        return Named(motif, None, 0.0, FLANK, WORD)
    length, place = len(match.known.consensus), match.place
    if match.other_strand:
        motif = motif._replace(counts=motif.counts[::-1, ::-1], strand=~motif.strand)
        place = WIDTH - place - length
    return Named(motif, match.known, match.score, place, length)


def described(one: Named, of: int) -> dict:
    """What motifs.json says of a motif that is in some of `of` sequences."""
    known = one.known
    number = len(np.unique(one.motif.row))
    return {
        "letters": one.motif.counts.astype(int).tolist(),
        "sequences": number,
        "of": of,
        "begin": np.percentile(one.begins() + 1, [25, 50, 75]).round().astype(int).tolist(),
        "place": one.place,
        "length": one.length,
        "effect": round(float(one.motif.effect.sum()) / number, 3),
        "known": known
        and {
            "name": known.name,
            "consensus": known.consensus,
            "source": known.source,
            "score": round(one.score, 3),
        },
    }


def profile(one: Explained, row: int, found: Mapping[int, Named]) -> dict:
    """A sequence, the effects of its letters, and where the motifs `found`, by number, are in it:
    it is sequence `row` of those that they were found in."""
    marks = [
        [number, max(int(begin), 0), min(int(begin) + motif.length, len(one.tokens))]
        for number, motif in found.items()
        for begin in motif.begins()[motif.motif.row == row]
    ]
    return {
        "id": one.id,
        "class": one.prediction,
        "probability": round(one.probability, 4),
        "letters": "".join(LETTERS[token] for token in one.tokens),
        "effects": one.effects.mean(axis=1).round(4).tolist(),
        "marks": sorted(marks, key=itemgetter(1)),
    }


def shares(motif: Motif, x: np.ndarray, own: np.ndarray, both_strands: bool) -> dict:
    """In which share of the sequences x (N, L) of the class, own (N,), and of the others a motif
    occurs; null for a motif of one place, and where there are none."""
    found: dict[str, float | None] = {}
    share = background(x, both_strands)
    for name, rows in (("in_class", x[own][:SCANNED]), ("elsewhere", x[~own][:SCANNED])):
        known = len(rows) and np.ptp(motif.begin)
        there = occurs(rows, motif, both_strands, share).mean() if known else None
        found[name] = None if there is None else round(float(there), 4)
    return found


def line(told: dict) -> str:
    """A motif in words, for the log."""
    letters = "".join("ACGT"[int(np.argmax(counts))] for counts in told["letters"])
    known = told["known"]
    like = f", like {known['name']} {known['consensus']}, {known['score']:.2f}" if known else ""
    return f"{told['class']}: {letters} in {told['sequences']} of {told['of']}{like}"


def main() -> None:
    args = settings.arguments(__doc__, MotifsSpec, INPUTS, {"out": "motifs.json"})
    spec = args.spec
    meta = load_json(args.meta, OF_DATA)
    (model,), about = load_all([args.weights], meta, setup(0, spec.threads))
    x, y, ids = load_arrays(args.data, "val_x", "val_y", "val_id")
    number = affordable(spec, len(about.classes), x.shape[1], about.both_strands)
    both_strands, aligned = about.both_strands, about.model.pooling == "flatten"
    order = generator(spec.seed, "motifs").permutation(len(x))
    read, told, profiles = [], [], []
    for k, name in enumerate(about.classes):
        chosen = [(str(ids[row]), x[row][x[row] != PAD]) for row in order[y[order] == k][:number]]
        answers = [explain(model, about, *one) for one in chosen]
        right = [one for one in answers if one.prediction == name]
        read.append({"class": name, "sequences": len(answers), "right": len(right)})
        if not right:
            continue
        tokens, effects = stacked(right)
        found = motifs(tokens, effects, both_strands, aligned, spec.most)
        numbered = {
            len(told) + at: named(motif, about.dataset, both_strands)
            for at, motif in enumerate(found)
        }
        for one in numbered.values():
            told.append({"class": name, **described(one, len(right))})
            told[-1] |= shares(one.motif, x[order], y[order] == k, both_strands)
            row = int(one.motif.row[one.motif.effect.argmax()])
            profiles.append(profile(right[row], row, numbered))
            print(line(told[-1]))
    write_json(
        args.out,
        {
            "title": meta["title"],
            "model": TITLE,
            "both_strands": both_strands,
            "aligned": aligned,
            "read": read,
            "motifs": told,
            "profiles": profiles,
        },
    )


if __name__ == "__main__":
    settings.run(main)
