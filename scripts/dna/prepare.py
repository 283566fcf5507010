"""Turn a DNA data set's raw files into token arrays with a train, a dev and a test split.

gue/*: the official train.csv, dev.csv, test.csv. statlog_dna: StatLog's split (first 2,000 rows
train, the rest test); dev is drawn from train, equal sequences staying together. planted_motifs:
generated, with its best possible accuracy in meta.json. Arrays of sequences.npz, for each split:
{split}_x uint8 (N, L) A, C, G, T, N = 0..4, padding 5; {split}_y int64; {split}_id int64, the
0-based row of the raw file.
"""

from pathlib import Path

import numpy as np
from pydantic import Field

from dna import planted_motifs, statlog
from dna import sequences as dna
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from raw.about import About
from raw.data_hash import arrays_sha256
from raw.raw_files import RawFile, verify

SPLITS = ("train", "dev", "test")


class Spec(settings.Settings):
    dataset: str = Field("planted_motifs", description="name in config/datasets.yaml")
    raw: dict[str, RawFile] = Field({}, description="what each raw file must be; empty: unchecked")
    about: About = Field(About(), description="title, licence and so on, for meta.json")
    classes: list[str] = Field(["0", "1"], min_length=2, description="names of the classes")
    dev_share: float = Field(0.15, ge=0, lt=1, description="statlog_dna: share of train for dev")
    seed: int = Field(0, ge=0, description="seed of what is drawn")
    motifs: list[str] = Field(["TATAAA", "CACGTG"], description="planted_motifs: one a class")
    noise: float = Field(0.3, ge=0, le=0.75, description="planted_motifs: share of wrong letters")
    length: int = Field(30, ge=1, description="planted_motifs: nucleotides of a sequence")
    place: int = Field(12, ge=0, description="planted_motifs: where the motif begins")
    sizes: list[int] = Field([3000, 500, 1000], description="planted_motifs: train, dev, test")


def raw_file(raw: Path | None, name: str, dataset: str) -> Path:
    """The file `name` in the folder `raw`. Raises InputError if it is not there."""
    if raw is None or not (raw / name).is_file():
        raise InputError(f"--raw {raw}: expected {name} there for {dataset}. Fetch the data set.")
    return raw / name


def load(spec: Spec, raw: Path | None) -> dict[str, np.ndarray]:
    """The arrays of sequences.npz."""
    arrays = {}
    if spec.dataset == "planted_motifs":
        if not len(spec.motifs) == len(spec.classes) or len(spec.sizes) != 3:
            raise InputError("planted_motifs: expected one motif a class, and three sizes")
        room = spec.length - spec.place
        if len({len(motif) for motif in spec.motifs}) > 1 or len(spec.motifs[0]) > room:
            raise InputError(
                f"planted_motifs: expected motifs of one length, at most length - place = {room},"
                f" found {', '.join(spec.motifs)}"
            )
        for split, size in zip(SPLITS, spec.sizes, strict=True):
            arrays[f"{split}_x"], arrays[f"{split}_y"] = planted_motifs.sample(
                size, spec.length, spec.motifs, spec.noise, spec.place, spec.seed, split
            )
            arrays[f"{split}_id"] = np.arange(size)
    elif spec.dataset == "statlog_dna":
        x, y = statlog.read_statlog(raw_file(raw, "DNA.rda", spec.dataset))
        train, dev = dna.grouped_split(x[: statlog.STATLOG_TRAIN], spec.dev_share, spec.seed)
        test = np.arange(statlog.STATLOG_TRAIN, len(x))
        for split, rows in zip(SPLITS, (train, dev, test), strict=True):
            arrays |= {f"{split}_x": x[rows], f"{split}_y": y[rows], f"{split}_id": rows}
    else:
        found = {
            split: dna.read_labelled_csv(raw_file(raw, f"{split}.csv", spec.dataset))
            for split in SPLITS
        }
        longest = max(len(row) for sequences, _ in found.values() for row in sequences)
        for split, (sequences, labels) in found.items():
            arrays[f"{split}_x"], arrays[f"{split}_y"] = dna.pad(sequences, longest), labels
            arrays[f"{split}_id"] = np.arange(len(labels))
    for split in SPLITS:
        if arrays[f"{split}_y"].max() >= len(spec.classes):
            raise InputError(
                f"{spec.dataset}, {split}: expected labels below {len(spec.classes)} (classes "
                f"{spec.classes}), found {arrays[f'{split}_y'].max()}. Correct file or classes."
            )
    return arrays


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"raw?": "folder of the raw files; left out for planted_motifs"},
        outputs={"out": "sequences.npz", "meta": "meta.json"},
    )
    spec = args.spec
    verify([args.raw] if args.raw else [], spec.dataset, spec.raw)
    arrays = load(spec, args.raw)
    meta = {"dataset": spec.dataset, **spec.about.model_dump(), "classes": spec.classes}
    meta["sizes"] = {split: len(arrays[f"{split}_y"]) for split in SPLITS}
    meta["repeated_rows"] = {
        f"{a}_in_{b}": int(dna.known_rows(arrays[f"{a}_x"], arrays[f"{b}_x"]).sum())
        for a, b in (("dev", "train"), ("test", "train"), ("test", "dev"))
    }
    if spec.dataset == "planted_motifs":
        meta["bayes_accuracy"] = planted_motifs.bayes_accuracy(spec.motifs, spec.noise)
    meta["data_sha256"] = arrays_sha256(arrays)
    print(meta)
    write_npz(args.out, **arrays)
    write_json(args.meta, meta)


if __name__ == "__main__":
    settings.run(main)
