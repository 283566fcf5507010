"""Rows with a label each, from the forms in which people have them: which column is what."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dna.sequence_files import (
    ID_NAMES,
    Table,
    is_fasta,
    named,
    read_fasta,
    read_table,
    sequence_column,
)
from pipeline.errors import InputError

LABEL_NAMES = ("label", "labels", "class", "classes", "target", "category", "type", "group", "y")
SPLIT_NAMES = ("split", "set", "subset", "partition", "fold")
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".fa", ".fasta", ".fas", ".fna")


class Row(NamedTuple):
    """A labelled sequence; where: its file and line."""

    where: str
    id: str
    sequence: str
    label: str
    split: str


class Words(NamedTuple):
    """The names of columns that somebody said; None: to be found."""

    sequence: str | None = None
    label: str | None = None
    split: str | None = None


def _plain_path(path: Path) -> Path:
    """The path without .gz."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def files_of(data: Path) -> dict[str, Path]:
    """Split -> its file, of a folder with train, dev and test; "" -> the file itself.

    Raises InputError if there is nothing to read, or two files of one split.
    """
    if data.is_file():
        return {"": data}
    if not data.is_dir():
        raise InputError(f"{data}: expected a file of sequences or a folder, found nothing there")
    found: dict[str, Path] = {}
    for path in sorted(data.iterdir()):
        plain = _plain_path(path)
        split = SPLITS.get(plain.stem.lower())
        if path.is_file() and split and plain.suffix.lower() in ENDINGS:
            if split in found:
                wrong = f"expected one file for {split}, found {found[split].name} and {path.name}"
                raise InputError(f"{data}: {wrong}. Move one away.")
            found[split] = path
    if "train" not in found:
        names = ", ".join(sorted(path.name for path in data.iterdir())[:5]) or "nothing"
        wrong = "expected train.csv and, if you have them, dev.csv and test.csv"
        raise InputError(f"{data}: {wrong}, found {names}. Name the files so, or name one file.")
    return found


def read_rows(path: Path, split: str, words: Words, notes: dict[str, None]) -> Iterator[Row]:
    """The rows of a file as it has them; split: "", or that of all of its rows.

    Adds to `notes` which columns or headers were taken for what.
    """
    if is_fasta(path):
        return _fasta_rows(path, split, words, notes)
    return _table_rows(path, split, words, notes)


def _table_rows(path: Path, split: str, words: Words, notes: dict[str, None]) -> Iterator[Row]:
    table = read_table(path)
    sequence = sequence_column(path, table, words.sequence, "SEQUENCE")
    name = named(table.columns, None, "", ID_NAMES)
    divided = None if split else named(table.columns, words.split, "SPLIT", SPLIT_NAMES)
    if divided is not None and words.split is None:
        # A column of this name that holds something else, such as the number of a fold.
        held = {fields[divided].strip().lower() for fields in table.first if len(fields) > divided}
        divided = divided if held - {""} <= SPLITS.keys() else None
    label = _label_column(path, table, words.label, {sequence, name, divided})
    told = {"sequence": sequence, "label": label, "split": divided, "id": name}
    taken = [f"{what} = {table.columns[at]}" for what, at in told.items() if at is not None]
    notes[f"columns: {', '.join(taken)}"] = None
    for number, (where, fields) in enumerate(table.rows, 1):
        own = fields[name].strip() if name is not None else str(number)
        part = fields[divided].strip() if divided is not None else split
        yield Row(where, own, fields[sequence], fields[label].strip(), part)


def _label_column(path: Path, table: Table, wanted: str | None, taken: set[int | None]) -> int:
    """The column of the classes: by its name, the only one left, or the only one of few values."""
    found = named(table.columns, wanted, "LABEL", LABEL_NAMES)
    left = [number for number in range(len(table.columns)) if number not in taken]
    if found is None:
        rows = [fields for fields in table.first if len(fields) == len(table.columns)]
        values = {number: len({fields[number] for fields in rows}) for number in left}
        few = [number for number, count in values.items() if 1 < count <= max(2, len(rows) // 10)]
        for only in (left, few):
            if len(only) == 1:
                return only[0]
    if found is None or found in taken:
        names = ", ".join(table.columns[number] for number in left) or "no further column"
        wrong = f"expected a column of classes, found {names}"
        raise InputError(f"{path}: {wrong}. Say which it is: LABEL=column.")
    return found


# What a header may look like, and how its label is found; '' if it has none of this form.
HEADERS: dict[str, Callable[[str], str]] = {
    "id|label": lambda header: header.rpartition("|")[2].strip() if "|" in header else "",
    "label=...": lambda header: _match(r"\b(?:label|class)[=:]\s*([^\s;,|]+)", header),
    "id label": lambda header: header.split()[-1] if len(header.split()) > 1 else "",
}


def _match(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.I)
    return found[1] if found else ""


def _fasta_rows(path: Path, split: str, words: Words, notes: dict[str, None]) -> Iterator[Row]:
    found = list(read_fasta(path))
    ids = [re.split(r"[\s|]", record.name)[0] for record in found]
    plain = _plain_path(path)
    beside = [
        other
        for other in sorted(plain.parent.glob(f"{plain.stem}.*"))
        if other != path
        and _plain_path(other).suffix.lower() in ENDINGS[:4]
        and _plain_path(other).stem == plain.stem
    ]
    if beside:
        labels, splits = _beside(beside[0], words, ids, notes)
    else:
        labels, form = _of_headers(path, [record.name for record in found])
        splits = {}
        notes[f"labels from headers of the form >{form}"] = None
    for index, (record, own) in enumerate(zip(found, ids, strict=True)):
        name = own or str(index + 1)
        yield Row(record.where, name, record.sequence, labels[index], splits.get(own, split))


def _of_headers(path: Path, headers: Sequence[str]) -> tuple[list[str], str]:
    """The label of each header, and the form in which they are given: that with fewest classes."""
    found = {}
    for form, label in HEADERS.items():
        labels = [label(header) for header in headers]
        if all(labels) and 1 < len(set(labels)) <= max(2, len(labels) // 2):
            found[form] = labels
    if not found:
        wrong = f"expected a label in each header ({', '.join(f'>{form}' for form in HEADERS)})"
        table = _plain_path(path).with_suffix(".csv").name
        raise InputError(
            f"{path}: {wrong}, found >{headers[0][:40]}. Or put {table} with id,label beside it."
        )
    form = min(found, key=lambda form: len(set(found[form])))
    return found[form], form


def _beside(
    path: Path, words: Words, ids: Sequence[str], notes: dict[str, None]
) -> tuple[list[str], dict[str, str]]:
    """The label of each id, and id -> split, from a table beside a FASTA file."""
    table = read_table(path)
    known = set(ids)
    at = named(table.columns, None, "", ID_NAMES)
    whole = [fields for fields in table.first if len(fields) == len(table.columns)]
    for number in range(len(table.columns)):
        if at is None and all(fields[number].strip() in known for fields in whole):
            at = number
    if at is None:
        raise InputError(f"{path}: expected a column id with the first words of the headers")
    divided = named(table.columns, words.split, "SPLIT", SPLIT_NAMES)
    label = _label_column(path, table, words.label, {at, divided})
    notes[f"labels from {path.name}: id = {table.columns[at]}, label = {table.columns[label]}"] = (
        None
    )
    labels, splits = {}, {}
    for where, fields in table.rows:
        own = fields[at].strip()
        if own in labels:
            raise InputError(f"{where}: expected each id once, found {own!r} again. Remove a row.")
        labels[own] = fields[label].strip()
        if divided is not None:
            splits[own] = fields[divided].strip()
    if missing := [own for own in ids if own not in labels]:
        wrong = f"expected a row for each sequence, found none for {missing[0]!r}"
        raise InputError(f"{path}: {wrong} ({len(missing)} in all). Add them.")
    return [labels[own] for own in ids], splits
