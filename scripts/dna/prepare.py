"""Turn a DNA data set's raw files into token arrays with a train, a val and a test split.

gue/*: the official train.csv, dev.csv (our val) and test.csv. statlog_dna: StatLog's split (the
first 2,000 rows train, the rest test); val is drawn from train, equal sequences staying together.
planted_motifs: generated, with its best possible accuracy in meta.json. Arrays of sequences.npz,
for each split: {split}_x uint8 (N, L) A, C, G, T, N = 0..4, padding 5; {split}_y int64; {split}_id
int64, the 0-based row of the raw file. meta.json counts the rows that are in two splits, as the
training sees them (repeated_rows), and those whose reverse complement is in another split.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dna import planted_motifs, sequences, statlog
from dna.settings import PrepareSpec
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from raw.prepared import arrays_sha256
from raw.raw_files import verify

# Each split, and what GUE calls it: its file's name, and that of planted_motifs' random stream.
SPLITS = {"train": "train", "val": "dev", "test": "test"}
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # tokens (N, L), labels (N,), ids (N,)


def raw_file(raw: Path | None, name: str, dataset: str) -> Path:
    """The file `name` in the folder `raw`. Raises InputError if it is not there."""
    if raw is None or not (raw / name).is_file():
        raise InputError(f"--raw {raw}: expected {name} there for {dataset}. Fetch the data set.")
    return raw / name


def planted(spec: PrepareSpec, raw: None) -> dict[str, Rows]:
    """Each split of planted_motifs, drawn from its model."""
    model = spec.length, spec.motifs, spec.noise, spec.place, spec.seed
    return {
        split: (*planted_motifs.sample(size, *model, stream), np.arange(size))
        for (split, stream), size in zip(SPLITS.items(), spec.sizes, strict=True)
    }


def splice_junctions(spec: PrepareSpec, raw: Path | None) -> dict[str, Rows]:
    """Each split of statlog_dna."""
    x, y = statlog.read_statlog(raw_file(raw, "DNA.rda", spec.dataset))
    known = x[: statlog.STATLOG_TRAIN]
    alike = sequences.as_trained(known, spec.both_strands)
    train, val = sequences.grouped_split(alike, spec.val_share, spec.seed)
    rows = {"train": train, "val": val, "test": np.arange(len(known), len(x))}
    return {split: (x[chosen], y[chosen], chosen) for split, chosen in rows.items()}


def gue(spec: PrepareSpec, raw: Path | None) -> dict[str, Rows]:
    """Each split of a data set of GUE, padded to the longest sequence of all."""
    found = {
        split: sequences.read_labelled_csv(
            raw_file(raw, f"{name}.csv", spec.dataset), spec.max_length
        )
        for split, name in SPLITS.items()
    }
    longest = max(len(row) for rows, _ in found.values() for row in rows)
    return {
        split: (sequences.pad(rows, longest), labels, np.arange(len(labels)))
        for split, (rows, labels) in found.items()
    }


def load(spec: PrepareSpec, raw: Path | None) -> dict[str, np.ndarray]:
    """The arrays of sequences.npz."""
    made = {"planted_motifs": planted, "statlog_dna": splice_junctions}.get(spec.dataset, gue)
    arrays = {}
    for split, (x, y, ids) in made(spec, raw).items():
        if not len(y):
            wrong = f"expected rows, found none of val_share {spec.val_share}"
            raise InputError(f"{spec.dataset}, {split}: {wrong}. Raise val_share.")
        if y.max() >= (classes := len(spec.classes)):
            wrong = f"expected labels below {classes} (classes {spec.classes}), found {y.max()}"
            raise InputError(f"{spec.dataset}, {split}: {wrong}. Correct file or classes.")
        arrays |= {f"{split}_x": x, f"{split}_y": y, f"{split}_id": ids}
    return arrays


def repeated(x: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows of x's val and test (N, L) are in an earlier split of `others` too."""
    pairs = (("val", "train"), ("test", "train"), ("test", "val"))
    return {f"{a}_in_{b}": int(sequences.known_rows(x[a], others[b]).sum()) for a, b in pairs}


def main() -> None:
    inputs = {"raw?": "folder of the raw files; left out for planted_motifs"}
    outputs = {"out": "sequences.npz", "meta": "meta.json"}
    args = settings.arguments(__doc__, PrepareSpec, inputs, outputs)
    spec = args.spec
    verify([args.raw] if args.raw else [], spec.dataset, spec.raw)
    arrays = load(spec, args.raw)
    meta = {"dataset": spec.dataset, **spec.about.model_dump(), "classes": spec.classes}
    meta["sizes"] = {split: len(arrays[f"{split}_y"]) for split in SPLITS}
    x = {split: arrays[f"{split}_x"] for split in SPLITS}
    alike = {split: sequences.as_trained(rows, spec.both_strands) for split, rows in x.items()}
    meta["repeated_rows"] = repeated(alike, alike)
    others = {split: sequences.other_strands(rows) for split, rows in x.items()}
    meta["reverse_complements"] = repeated(others, x)
    if spec.dataset == "planted_motifs":
        meta["bayes_accuracy"] = planted_motifs.bayes_accuracy(spec.motifs, spec.noise)
    meta["data_sha256"] = arrays_sha256(arrays)
    sizes = ", ".join(f"{size} {split}" for split, size in meta["sizes"].items())
    print(f"{spec.dataset}: {sizes} sequences, {sum(meta['repeated_rows'].values())} repeated")
    write_npz(args.out, **arrays)
    write_json(args.meta, meta)


if __name__ == "__main__":
    settings.run(main)
