"""Labelled sequences of one's own, in any usual form, made one raw file: every row checked."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dna.own_file import write_collected
from dna.own_rows import SPLITS, Row, Words, files_of, read_rows
from dna.sequence_files import cleaned
from pipeline.errors import InputError

LONGEST_ID, MOST_CLASSES = 200, 100


def checked(rows: Iterable[Row], changed: Counter) -> Iterator[Row]:
    """The rows with clean sequences and known splits; counts in `changed` what was changed.

    Raises InputError with file and line: a bad letter, no label, an unknown split, an id that is
    there before, or longer than LONGEST_ID.
    """
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        letters, how = cleaned(row.sequence, row.where)
        changed.update(how)
        changed["lower case read as capitals"] += row.sequence != row.sequence.upper()
        if not row.label:
            raise InputError(
                f"{row.where}: expected a label, found none. Add it, or remove the row."
            )
        split = SPLITS.get(row.split.lower(), "") if row.split else ""
        if row.split and not split:
            wrong = f"expected train, val or test as its split, found {row.split!r}"
            raise InputError(f"{row.where}: {wrong}. Correct it.")
        if len(row.id) > LONGEST_ID:
            wrong = f"expected an id of at most {LONGEST_ID} letters, found {len(row.id)}"
            raise InputError(f"{row.where}: {wrong}. Shorten it.")
        if before := seen.get((row.id, row.where.rpartition(",")[0])):
            wrong = f"expected each id once, found {row.id!r} as in {before.rpartition(', ')[2]}"
            raise InputError(f"{row.where}: {wrong}. Rename or remove one.")
        seen[row.id, row.where.rpartition(",")[0]] = row.where
        yield row._replace(sequence=letters, split=split)


def classes_of(data: Path, rows: Sequence[Row]) -> list[str]:
    """The labels in order, as numbers if all are such.

    Raises InputError if they are no classes: fewer than two, too many, one that is not in train.
    """
    count = Counter(row.label for row in rows)
    if len(count) < 2:
        wrong = f"expected two classes or more, found {next(iter(count), 'no row')!r} alone"
        raise InputError(f"{data}: {wrong}. Add sequences of another class.")
    if len(count) > min(MOST_CLASSES, len(rows) // 2):
        some = ", ".join(list(count)[:3])
        wrong = f"expected at most {MOST_CLASSES} classes with several sequences each"
        raise InputError(
            f"{data}: {wrong}, found {len(count):,} labels ({some} ...) in {len(rows):,} rows. "
            "Name the column of the classes: LABEL=column."
        )
    trained = {row.label for row in rows if row.split in ("", "train")}
    if alone := next((row for row in rows if row.label not in trained), None):
        wrong = (
            f"expected a label that is in train too, found {alone.label!r} in {alone.split} alone"
        )
        raise InputError(f"{alone.where}: {wrong}. Add such sequences to train, or remove these.")
    numbers = all(re.fullmatch(r"-?\d+(\.\d+)?", label) for label in count)
    return sorted(count, key=float if numbers else str)


def _told(rows: Sequence[Row], classes: Sequence[str], changed: Mapping[str, int]) -> list[str]:
    """What to say of the rows."""
    lengths = [len(row.sequence) for row in rows]
    low, high = min(lengths), max(lengths)
    count = Counter(row.label for row in rows)
    shown = ", ".join(f"{name} ({count[name]:,})" for name in classes[:10])
    more = f" and {len(classes) - 10} more" if len(classes) > 10 else ""
    size = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    splits = Counter(row.split for row in rows if row.split)
    told = [
        f"{len(rows):,} sequences of {size} letters",
        f"{len(classes)} classes: {shown}{more}",
        *(f"{what}: {n:,}" for what, n in changed.items() if n),
    ]
    if not splits:
        return [*told, "no split is given: 70 % train, 15 % val, 15 % test, drawn class by class"]
    told.append("split as given: " + ", ".join(f"{n:,} {name}" for name, n in splits.items()))
    if missing := [name for name in ("val", "test") if name not in splits]:
        told.append(f"{' and '.join(missing)} drawn from train, class by class")
    return told


def collect(
    data: Path,
    target: Path,
    sequence: str | None = None,
    label: str | None = None,
    split: str | None = None,
) -> tuple[str, dict]:
    """Write the labelled sequences of `data` to `target`, and say what they are and what was done.

    sequence, label, split: names of columns, where they are not to be guessed.
    Returns a description and the settings that fit these data.
    """
    words, notes, changed = Words(sequence, label, split), dict[str, None](), Counter[str]()
    rows = [
        row
        for part, path in files_of(data).items()
        for row in checked(read_rows(path, part, words, notes), changed)
    ]
    if any(row.split for row in rows) and (gap := next((r for r in rows if not r.split), None)):
        raise InputError(f"{gap.where}: expected a split, as other rows have, found none. Add it.")
    classes = classes_of(data, rows)
    write_collected(target, [row[1:] for row in rows])
    told = [*_told(rows, classes, changed), *notes]
    aligned = len({len(row.sequence) for row in rows}) == 1
    return "; ".join(told), {"data": {"classes": classes}, "choice": {"aligned": aligned}}
