"""A run on data of your own: put the data where raw data is, and write the run's preset.

    python workflow/lib/own.py text DATA config/PRESET.yaml     (make text DATA=path, or images)
    python workflow/lib/own.py dna DATA config/PRESET.yaml [--sequence COLUMN] [--label COLUMN]
        [--split COLUMN]                                        (make dna DATA=path)

Prints the path of the preset, results/own-<name>/preset.yaml, and beside it, on standard error,
what the data were taken for. The preset holds the data set's entry, which
has a path and a checksum and no url, and the settings of the data set that it is like. Everything
else is as in any run. If the data have changed, so has the checksum, and what depends on them is
made again.
"""

import argparse
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml
from clean import merged
from snakemake.utils import update_config

from dna import own_sequences
from dna.own_file import RAW_FILE
from gpt import own_text
from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from vision import own_images


class Kind(NamedTuple):
    """What `make KIND DATA=path` does.

    collect: (data, target, options) -> (description, changes of the settings); it checks the data
    and writes them to `target`, the one raw file. like: the data set whose settings are taken, None
    in a room with one data set. use: a command that uses the trained model. options: what else may
    be said of the data.
    """

    room: str
    task: str
    like: str | None
    file: str
    collect: Callable[..., tuple[str, dict]]
    use: str
    options: tuple[str, ...] = ()


KINDS = {
    "text": Kind(
        "gpt",
        "language_modelling",
        "tinystories",
        "documents.json",
        own_text.collect,
        "python -m gpt.sample --weights {model} --out samples.json"
        """ --spec '{{"prompts": ["The"], "ways": [{{"temperature": 0.7, "min_p": 0.1}}]}}'""",
    ),
    "dna": Kind(
        "dna",
        "dna_classification",
        "own",
        RAW_FILE,
        own_sequences.collect,
        "python -m dna.predict {model} new.fasta",
        ("sequence", "label", "split"),
    ),
    "images": Kind(
        "vision",
        "image_classification",
        None,
        "images.npz",
        own_images.collect,
        "python -m vision.predict --weights {model} --pictures FOLDER --out predictions.csv",
    ),
}


def name_of(data: Path, kind: str) -> str:
    """A name for the data: small letters, digits and _ of that of the file or folder."""
    stem = Path(re.sub(r"\.gz$", "", data.resolve().name, flags=re.I)).stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return name if name[:1].isalpha() else f"{kind}_{name}".rstrip("_")


def write_preset(kind: str, data: Path, preset: Path, **options: str | None) -> Path:
    """Collect the data and write the preset of their run; returns its path.

    preset: what the run has in common with others, a file of config/. options: of the kind's.
    Raises InputError if the data cannot be used.
    """
    room, task, like, file, collect, use, _ = KINDS[kind]
    name = name_of(data, kind)
    dataset, folder = f"own/{name}", Path("results", f"own-{name}")
    target = Path("data/raw", dataset, file)
    description, changes = collect(data, target, **options)
    print(f"{data}: {description}", file=sys.stderr)
    config = merged(preset)
    section = config[room]
    update_config(section["settings"][like] if like else section, changes)
    section |= (
        {"datasets": [dataset], "settings": {dataset: section["settings"][like]}}
        if like
        else {"dataset": dataset}
    )
    raw = {"path": f"{dataset}/{file}", "bytes": target.stat().st_size}
    entry = {
        "title": data.resolve().name,
        "kind": "own",
        "task": task,
        "description": f"Your own: {description}.",
        **dict.fromkeys(("licence", "citation"), "your own data"),
        "files": [raw | {"sha256": file_sha256(target)}],
    }
    values = {
        "run": folder.name,
        "rooms": [room],
        "own": {dataset: entry},
        room: section,
    }
    seed = section["seeds"][0]
    section["seeds"] = [seed]
    trained = dataset if like else section["models"][0]
    model = folder / room / trained / f"seed{seed}" / "model.safetensors"
    head = f"# Use the model:\n#   {use.format(model=model)}\n"
    write_text(folder / "preset.yaml", head + yaml.safe_dump(values, sort_keys=False))
    return folder / "preset.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("data")
    parser.add_argument("preset", type=Path)
    for name in dict.fromkeys(name for kind in KINDS.values() for name in kind.options):
        parser.add_argument(f"--{name}", metavar="COLUMN")
    args = parser.parse_args()
    if not args.data:
        raise InputError(f"make {args.kind} DATA=path: expected your data, a file or a folder")
    options = {name: getattr(args, name) or None for name in KINDS[args.kind].options}
    print(write_preset(args.kind, Path(args.data), args.preset, **options))


if __name__ == "__main__":
    settings.run(main)
