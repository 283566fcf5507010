"""Fetch the raw files of one data set and verify every checksum.

Tries the mirror in DATA_MIRROR (a directory, or a file://, http:// or https:// prefix, laid out as
<dataset>/<file>), then each url of config/datasets.yaml. Files that are there and correct are kept.
By hand:

    python -m raw.fetch_dataset --spec '{"dataset": "fashion_mnist"}' \\
        --datasets config/datasets.yaml --out data/raw
"""

import os
from pathlib import Path

import yaml

from pipeline import settings
from pipeline.errors import InputError
from raw.fetch import Fetcher
from raw.settings import FetchSpec


def read_entry(table: Path, spec: FetchSpec) -> dict:
    """The table's entry of the data set. Raises InputError if there is none to fetch."""
    try:
        entries = yaml.safe_load(table.read_text(encoding="utf-8"))
        entry = entries[spec.dataset]
    except (yaml.YAMLError, TypeError, KeyError, OSError):
        raise InputError(f"{table}: no data set {spec.dataset!r}") from None
    if not entry.get("files"):
        raise InputError(f"{table}: {spec.dataset} has no files: it is {entry.get('kind')}")
    listed = {file["path"]: file["sha256"] for file in entry["files"]}
    if spec.sha256 and spec.sha256 != listed:
        raise InputError(f"{table}: checksums of {spec.dataset} are not those that --spec expects")
    return entry


def main() -> None:
    args = settings.arguments(
        __doc__,
        FetchSpec,
        inputs={"datasets": "table of data sets, config/datasets.yaml"},
        outputs={"out": "folder of the raw files, data/raw"},
    )
    entry = read_entry(args.datasets, args.spec)
    Fetcher(args.spec.dataset, entry, args.out, os.environ.get("DATA_MIRROR")).fetch()
    print(f"{args.spec.dataset}: {len(entry['files'])} files, every sha256 as expected")


if __name__ == "__main__":
    settings.run(main)
