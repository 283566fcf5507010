"""Sequences from files as people have them: FASTA or a table, plain or .gz, one after another.

A table is comma-, semicolon- or tab-separated, with or without a line of names. Nothing here keeps
more than one record, so that files of any size are read in constant memory.
"""

import csv
import gzip
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dna.sequences import encode
from pipeline.errors import InputError

# What people call such columns, in small letters and without other signs.
SEQUENCE_NAMES = ("sequence", "seq", "dna", "dnasequence", "nucleotides", "rna", "promoter")
ID_NAMES = ("id", "name", "seqid", "sequenceid", "seqname", "sequencename", "accession", "header")
# IUPAC's letters for several nucleotides are read as N; RNA's U as T; white space is left out.
SEVERAL = "RYSWKMBDHV"
_LETTERS = str.maketrans("U" + SEVERAL, "T" + "N" * len(SEVERAL), " \t\r\n")
_KNOWN = str.maketrans("", "", "ACGTN")
PEEKED = 200  # rows by which columns are guessed
SHORTEST_SEEN = 6  # a first row with so many nucleotides in a field is no row of names


class Record(NamedTuple):
    """A sequence as the file has it; where: file and line, for messages."""

    where: str
    name: str
    sequence: str


class Table(NamedTuple):
    """The columns of a table, those of its first rows, and (where, fields) of all of them."""

    columns: list[str]
    first: list[list[str]]
    rows: Iterator[tuple[str, list[str]]]


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""(number, line) of a UTF-8 text, plain or .gz; each line ends in \n.

    Line ends of Windows and of old Macs and a byte-order mark are no part of it.
    Raises InputError with file and line: not UTF-8, a damaged .gz, a file that cannot be read.
    """
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    number = 0
    try:
        with opened(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                for part in text.split("\r"):
                    yield number, part + "\n"
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        wrong = f"expected UTF-8 text, found the byte 0x{byte:02x}"
        raise InputError(f"{path}, line {number}: {wrong}. Save it as CSV or FASTA.") from None
    except (OSError, EOFError, zlib.error) as error:
        wrong = f"cannot be read after line {number}: {error}"
        raise InputError(f"{path}: {wrong}. Copy the file again.") from None


def is_fasta(path: Path) -> bool:
    """Whether the first sign of the file is >. Raises InputError for what is no file, an empty one,
    or FASTQ."""
    if not path.is_file():
        raise InputError(f"{path}: expected a file, found a pipe or a folder. Name a file.")
    first = next((line for _, line in text_lines(path) if line.strip()), "")
    if not first:
        raise InputError(f"{path}: expected sequences, found an empty file")
    if first.startswith("@"):
        raise InputError(f"{path}: expected FASTA or a table, found FASTQ. Convert it to FASTA.")
    return first.startswith(">")


def read_fasta(path: Path) -> Iterator[Record]:
    """The records of a FASTA file; `name` is the whole header. Raises InputError as text_lines."""
    where, name = "", None
    parts: list[str] = []
    for number, line in text_lines(path):
        if line.startswith(">"):
            if name is not None:
                yield Record(where, name, "".join(parts))
            where, name, parts = f"{path}, line {number}", line[1:].strip(), []
        elif name is not None:
            parts.append(line.strip())
        elif line.strip():
            raise InputError(f"{path}, line {number}: expected a header (>), found {line[:30]!r}")
    if name is not None:
        yield Record(where, name, "".join(parts))


def _is_sequence(text: str, least: int = 1) -> bool:
    return len(text) >= least and not set(text.upper()) - set("ACGTUN" + SEVERAL)


def read_table(path: Path) -> Table:
    """A table and its columns; without a line of names they are called 1, 2, ...

    Rows without any text are left out. Raises InputError that names file and line: another number
    of fields than in the first row, no row, what the csv module refuses; as text_lines.
    """
    _, first = next((pair for pair in text_lines(path) if pair[1].strip()), (0, ""))
    delimiter = max("\t;,", key=first.count)
    rows = _fields(path, delimiter)
    peeked = list(itertools.islice(rows, PEEKED))
    columns = [field.strip() for field in peeked[0][1]] if peeked else []
    if any(_is_sequence(field, SHORTEST_SEEN) for field in columns):
        columns = [str(number) for number in range(1, len(columns) + 1)]
    else:
        peeked = peeked[1:]
    if not peeked:
        raise InputError(f"{path}: expected a row for each sequence, found none")
    if twice := [name for index, name in enumerate(columns) if name in columns[:index]]:
        raise InputError(f"{path}: expected each column once, found {twice[0]!r} twice")
    return Table(
        columns,
        [fields for _, fields in peeked],
        _whole(itertools.chain(peeked, rows), columns),
    )


def _fields(path: Path, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """(where, fields) of each row that has any text."""
    number = 0

    def lines() -> Iterator[str]:
        nonlocal number
        for number, line in text_lines(path):  # noqa: B007 - said in messages
            yield line

    try:
        for fields in csv.reader(lines(), delimiter=delimiter):
            if any(map(str.strip, fields)):
                yield f"{path}, line {number}", fields
    except csv.Error as error:
        raise InputError(f"{path}, line {number}: expected a row, found: {error}.") from None


def _whole(
    rows: Iterable[tuple[str, list[str]]], columns: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    for where, fields in rows:
        if len(fields) != len(columns):
            wrong = f"expected {len(columns)} fields ({', '.join(columns)}), found {len(fields)}"
            raise InputError(f"{where}: {wrong}. Correct the row, or put quotes around its commas.")
        yield where, fields


def named(
    columns: Sequence[str], wanted: str | None, word: str, names: Sequence[str]
) -> int | None:
    """The number of a column: that of the name `wanted`, or the first that has one of `names`.

    word: what one writes to say it. Raises InputError if there is no column `wanted`.
    """
    if wanted is not None:
        if wanted not in columns:
            raise InputError(f"{word}: expected one of {', '.join(columns)}, found {wanted!r}")
        return columns.index(wanted)
    plain = [re.sub(r"[^a-z0-9]", "", column.lower()) for column in columns]
    return next((plain.index(name) for name in names if name in plain), None)


def sequence_column(path: Path, table: Table, wanted: str | None, word: str) -> int:
    """The column of the sequences: by its name, or the one with the most nucleotides.

    Raises InputError if there is none.
    """
    found = named(table.columns, wanted, word, SEQUENCE_NAMES)
    if found is not None:
        return found
    columns = list(zip(*(f for f in table.first if len(f) == len(table.columns)), strict=True))
    letters = {
        number: sum(map(len, fields))
        for number, fields in enumerate(columns)
        if all(_is_sequence(field.strip()) for field in fields)
    }
    if not letters:
        wrong = f"expected a column of sequences, found {', '.join(table.columns)}"
        raise InputError(f"{path}: {wrong}. Say which it is: {word}=column.")
    return max(letters, key=letters.__getitem__)


def cleaned(sequence: str, where: str) -> tuple[str, dict[str, int]]:
    """Letters A, C, G, T and N of a sequence, and how many were changed, by kind.

    Raises InputError for an empty sequence, or with the first letter that is none.
    """
    upper = sequence.upper()
    letters = upper.translate(_LETTERS)
    if letters.translate(_KNOWN) or not letters:
        if not letters:
            raise InputError(f"{where}: expected a sequence, found none. Remove the row.")
        at = next(
            i for i, letter in enumerate(upper) if letter.translate(_LETTERS).translate(_KNOWN)
        )
        found = f"{sequence[at]!r} as letter {at + 1} of {len(sequence)}"
        allowed = f"ACGTU, N or {SEVERAL} for unknown ones"
        raise InputError(f"{where}: expected {allowed}, found {found}. Correct or remove it.")
    changed = {
        "U read as T": upper.count("U"),
        "ambiguous letters read as N": letters.count("N") - upper.count("N"),
    }
    return letters, changed


def read_sequences(path: Path, column: str | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """(id, tokens uint8 (L,)) of a FASTA file or a table, one after another.

    The id is the first word of a header, the column of ids, or the number of the row, from 1.
    column: of the sequences, in a table. Raises InputError as the readers above.
    """
    for record in records(path, column):
        letters, _ = cleaned(record.sequence, record.where)
        yield record.name, encode(letters)


def records(path: Path, column: str | None = None) -> Iterator[Record]:
    """The records of a file as read_sequences names them, before they are cleaned."""
    if is_fasta(path):
        for number, record in enumerate(read_fasta(path), 1):
            yield record._replace(name=(record.name.split() or [str(number)])[0])
        return
    table = read_table(path)
    sequence = sequence_column(path, table, column, "sequence")
    name = named(table.columns, None, "", ID_NAMES)
    for number, (where, fields) in enumerate(table.rows, 1):
        own = fields[name].strip() if name is not None else ""
        yield Record(where, own or str(number), fields[sequence])
