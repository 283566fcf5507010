"""Turn a DNA data set's raw files into token arrays with a train, a val and a test split.

gue/*: the official train.csv, dev.csv (our val) and test.csv. statlog_dna: StatLog's split (the
first 2,000 rows train, the rest test); val is drawn from train, equal sequences staying together.
planted_motifs: generated, with its best possible accuracy in meta.json. own/*: somebody's own,
split as they say, else class by class, a sequence and its reverse complement on one side. Arrays of
sequences.npz, for each split: {split}_x uint8 (N, L) A, C, G, T, N = 0..4, padding 5; {split}_y
int64; {split}_id, the 0-based row of the raw file (int64) or one's own id (text). meta.json counts
the rows that are in two splits, as the training sees them (repeated_rows), those whose reverse
complement is in another split, near duplicates and contradictions, and has a line for each thing
that a reader of the results must know (warnings).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dna import leakage, own_file, planted_motifs, sequences, statlog
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


def is_own(spec: PrepareSpec) -> bool:
    """Whether these are somebody's own sequences."""
    return spec.dataset.startswith("own/")


def usual_length(lengths: Sequence[int]) -> int:
    """The longest of lengths (N,), or, if it is twice what 99 % do not exceed or more, that.

    All sequences are filled up to one length, which a few must not decide.
    """
    usual = sorted(lengths)[int(0.99 * (len(lengths) - 1))]
    return usual if max(lengths) >= 2 * usual else max(lengths)


def own(spec: PrepareSpec, raw: Path | None) -> tuple[dict[str, Rows], list[str]]:
    """Each split of somebody's own sequences, and what is to be said of them.

    What they do not split is drawn from train, equal sequences and reverse complements on one side.
    """
    path = raw_file(raw, own_file.RAW_FILE, spec.dataset)
    ids, texts, labels, splits = own_file.read_collected(path)
    if unknown := set(labels) - set(spec.classes):
        wrong = f"expected the classes {spec.classes}, found {min(unknown)!r}"
        raise InputError(f"{path}: {wrong}. Correct classes.")
    lengths = [len(text) for text in texts]
    limit = min(spec.max_length, usual_length(lengths))
    found = [sequences.middle(sequences.encode(text), limit) for text in texts]
    x = sequences.pad(found, max(map(len, found)))
    y = np.array([spec.classes.index(label) for label in labels], np.int64)
    part = np.array([split or "train" for split in splits])
    missing = [split for split in ("test", "val") if split not in splits]
    free = np.flatnonzero(part == "train")
    group = leakage.groups(sequences.as_trained(x[free], both_strands=True))
    drawn = leakage.stratified_split(group, y[free], [spec.val_share] * len(missing), spec.seed)
    for number, split in enumerate(missing, 1):
        part[free[drawn == number]] = split
    rows = {
        name: (x[part == name], y[part == name], np.array(ids)[part == name]) for name in SPLITS
    }
    cut, longest = sum(length > limit for length in lengths), int(np.argmax(lengths))
    told = (
        f"{cut:,} of {len(texts):,} sequences are longer than {limit:,} letters: their middle is"
        f" read (the longest, {ids[longest]}, has {lengths[longest]:,}; max_length"
        f" {spec.max_length:,})"
    )
    return rows, [told] if cut else []


def load(spec: PrepareSpec, raw: Path | None) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of sequences.npz, and what is to be said of them."""
    if is_own(spec):
        made, told = own(spec, raw)
    elif spec.dataset == "planted_motifs" and raw:
        wrong = "expected no --raw for planted_motifs, which is generated"
        raise InputError(f"{wrong}, found {raw}. Name the data: --spec '{{\"dataset\": ...}}'.")
    else:
        known = {"planted_motifs": planted, "statlog_dna": splice_junctions}
        made, told = known.get(spec.dataset, gue)(spec, raw), []
    arrays = {}
    for split, (x, y, ids) in made.items():
        if not len(y):
            wrong = f"expected rows, found none of val_share {spec.val_share}"
            raise InputError(f"{spec.dataset}, {split}: {wrong}. Raise val_share.")
        if y.max() >= (classes := len(spec.classes)):
            wrong = f"expected labels below {classes} (classes {spec.classes}), found {y.max()}"
            raise InputError(f"{spec.dataset}, {split}: {wrong}. Correct file or classes.")
        arrays |= {f"{split}_x": x, f"{split}_y": y, f"{split}_id": ids}
    return arrays, told


def warnings(meta: dict, label: Mapping[str, np.ndarray]) -> list[str]:
    """A line for each thing that makes a score hard to believe; label (N,) of each split."""
    lines = []
    for split, of_split in label.items():
        there = set(of_split)
        if gone := [name for k, name in enumerate(meta["classes"]) if k not in there]:
            lines.append(f"{split} has no sequence of {', '.join(gone)}")
    wrong = meta["contradictions"]
    if wrong["rows"]:
        lines.append(
            f"{wrong['rows']:,} rows contradict others: the same sequence, or its reverse"
            f" complement, has another label (such as {' and '.join(map(str, wrong['example']))})"
        )
    for split in ("val", "test"):
        same = sum(n for pair, n in meta["repeated_rows"].items() if pair.startswith(split))
        near = max(n for pair, n in meta["near_duplicates"].items() if pair.startswith(split))
        if same or near:
            lines.append(
                f"{split}: of {len(label[split]):,} sequences, {same:,} are in an earlier split too"
                f" and {near:,} have half of their {leakage.WORD}-letter words in one: their score"
                " says little about new sequences"
            )
    return lines


def contradictions(arrays: Mapping[str, np.ndarray]) -> dict:
    """How many rows have a label that an equal sequence or reverse complement has not; two ids."""
    x, y, ids = (
        np.concatenate([arrays[f"{s}_{name}"] for s in SPLITS]) for name in ("x", "y", "id")
    )
    group = leakage.groups(sequences.as_trained(x, both_strands=True))
    rows = np.flatnonzero(leakage.contradictory(group, y))
    example = rows[(group[rows] == group[rows[0]])][:2] if len(rows) else rows
    return {"rows": len(rows), "example": ids[example].tolist()}


def main() -> None:
    inputs = {"raw?": "folder of the raw files; left out for planted_motifs"}
    outputs = {"out": "sequences.npz", "meta": "meta.json"}
    args = settings.arguments(__doc__, PrepareSpec, inputs, outputs)
    spec = args.spec
    verify([args.raw] if args.raw else [], spec.dataset, spec.raw)
    arrays, told = load(spec, args.raw)
    meta = {"dataset": spec.dataset, **spec.about.model_dump(), "classes": spec.classes}
    # What a label is in the files of the data, and so in submission.csv.
    meta["labels"] = spec.classes if is_own(spec) else [str(k) for k in range(len(spec.classes))]
    meta["sizes"] = {split: len(arrays[f"{split}_y"]) for split in SPLITS}
    x = {split: arrays[f"{split}_x"] for split in SPLITS}
    alike = {split: sequences.as_trained(rows, spec.both_strands) for split, rows in x.items()}
    meta["repeated_rows"] = leakage.repeated(alike, alike)
    others = {split: sequences.other_strands(rows) for split, rows in x.items()}
    meta["reverse_complements"] = leakage.repeated(others, x)
    meta["near_duplicates"] = leakage.near_pairs(x)
    meta["contradictions"] = contradictions(arrays)
    meta["warnings"] = told + warnings(meta, {split: arrays[f"{split}_y"] for split in SPLITS})
    if spec.dataset == "planted_motifs":
        meta["bayes_accuracy"] = planted_motifs.bayes_accuracy(spec.motifs, spec.noise)
    meta["data_sha256"] = arrays_sha256(arrays)
    sizes = ", ".join(f"{size} {split}" for split, size in meta["sizes"].items())
    print(f"{spec.dataset}: {sizes} sequences, {sum(meta['repeated_rows'].values())} repeated")
    for line in meta["warnings"]:
        print(f"warning: {line}")
    write_npz(args.out, **arrays)
    write_json(args.meta, meta)


if __name__ == "__main__":
    settings.run(main)
