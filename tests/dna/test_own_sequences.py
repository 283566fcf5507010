"""Sequences of one's own: every usual form is read, and one line for what cannot be used."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna.own_file import read_collected
from dna.own_sequences import collect
from dna.sequence_files import SEVERAL, cleaned, read_sequences
from dna.sequences import LETTERS
from pipeline.errors import InputError

A, B = "ACGTACGTAA", "TTTTGGGGCC"
PLAIN = f"sequence,label\n{A},0\n{B},1\n{A[::-1]},0\n{B[::-1]},1\n"
ROWS = [["1", A, "0", ""], ["2", B, "1", ""], ["3", A[::-1], "0", ""], ["4", B[::-1], "1", ""]]


def collected(tmp_path, name, content, **words):
    """The rows of the raw file, what was said, and the settings of the data."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    told, changes = collect(path, tmp_path / "raw.jsonl", **words)
    lines = (tmp_path / "raw.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], told, changes["data"]


PACKED = gzip.compress(f"{A},1\n".encode() * 9999, mtime=0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", PLAIN),
        ("a.csv", "\ufeff" + PLAIN.replace("\n", "\r\n") + "\r\n,\r\n"),
        ("a.csv", PLAIN.replace("\n", "\r")),
        ("a.csv.gz", gzip.compress(PLAIN.encode(), mtime=0)),
        ("a.tsv", PLAIN.replace(",", "\t")),
        ("a.csv", PLAIN.replace(",", ";")),
        ("a.txt", PLAIN.replace("sequence,label\n", "")),
        ("a.csv", PLAIN.replace("sequence,label", "What it is,Y")),
        ("a.csv", PLAIN.lower().replace("t", "u").replace("seuq", "seq").replace("\nu", "\nu")),
        ("a.csv", "".join(f'"{line[:4]} {line[4:]}\n' for line in PLAIN.splitlines()).replace(
            ",", '","').replace("\n", '"\n').replace("sequ ence", "sequence")),
        ("a.fasta", f">1|0\n{A[:5]}\n{A[5:]}\n>2|1\n{B}\n>3|0\n{A[::-1]}\n>4|1\n{B[::-1]}\n"),
        ("a.txt", f">1|0\n{A}\n>2|1\n{B}\n>3|0\n{A[::-1]}\n>4|1\n{B[::-1]}\n"),
        ("a.fa", f">1 label=0 x\n{A}\n>2 label=1 y\n{B}\n>3 class:0 z\n{A[::-1]}\n>4 class:1 v\n"
                 f"{B[::-1]}\n"),
        ("a.fna", f">1 0\n{A}\n\n>2 1\n{B}\n>3 0\n{A[::-1]}\n>4 1\n{B[::-1]}\n"),
    ],
)  # fmt: skip
def test_every_usual_form_gives_the_same_rows(tmp_path, name, content):
    rows, told, fitting = collected(tmp_path, name, content)
    assert rows == ROWS and fitting == {"classes": ["0", "1"]}
    assert told.startswith("4 sequences of 10 letters; 2 classes: 0 (2), 1 (2); ")


def test_what_was_done_is_said(tmp_path):
    table = (
        f"id,seq,kind,set\nx,{A.lower()}RN,b,train\ny,{B}UU,a,dev\nz,{A},b,test\nw,{A},a,Train\n"
    )
    rows, told, fitting = collected(tmp_path, "a.csv", table, label="kind", split="set")
    assert [row[3] for row in rows] == ["train", "val", "test", "train"]
    assert rows[0][:2] == ["x", A + "NN"] and rows[1][1] == B + "TT"
    assert fitting["classes"] == ["a", "b"]
    for words in (
        "U read as T: 2", "ambiguous letters read as N: 1", "lower case read as capitals: 1",
        "split as given: 2 train, 1 val, 1 test",
        "columns: sequence = seq, label = kind, split = set, id = x".replace("= x", "= id"),
    ):  # fmt: skip
        assert words in told


def test_a_column_of_folds_is_no_split(tmp_path):
    table = f"fold,sequence,label\n1,{A},0\n2,{B},1\n1,{B},0\n2,{A},1\n"
    rows, told, _ = collected(tmp_path, "a.csv", table)
    assert {row[3] for row in rows} == {""} and "fold" not in told


def test_the_only_column_with_few_values_has_the_classes(tmp_path):
    lines = [f"{n},{[A, B][n % 2]},{n / 7},{['on', 'off'][n % 2]}" for n in range(40)]
    content = "\n".join(["peak,seq,height,bound?", *lines])
    _, told, fitting = collected(tmp_path, "a.csv", content)
    assert fitting == {"classes": ["off", "on"]} and "label = bound?" in told


def test_labels_in_a_table_beside_a_fasta_file(tmp_path):
    (tmp_path / "a.csv").write_text("name,class\nq,up\np,down\nr,up\ns,down\n")
    content = f">p some words\n{A}\n>q|x\n{B}\n>r\n{A}\n>s\n{B}\n"
    rows, told, _ = collected(tmp_path, "a.fasta", content)
    assert [row[:3:2] for row in rows] == [["p", "down"], ["q", "up"], ["r", "up"], ["s", "down"]]
    assert "labels from a.csv: id = name, label = class" in told


def test_a_folder_with_a_file_for_each_split(tmp_path):
    for name, content in (("train.tsv.gz", PLAIN), ("dev.tsv.gz", PLAIN), ("test.tsv.gz", PLAIN)):
        (tmp_path / name).write_bytes(gzip.compress(content.replace(",", "\t").encode()))
    told, _ = collect(tmp_path, tmp_path / "raw.jsonl")
    ids, sequences, labels, splits = read_collected(tmp_path / "raw.jsonl")
    assert ids == ["1", "2", "3", "4"] * 3 and labels == ["0", "1"] * 6 and sequences[0] == A
    assert splits == ["val"] * 4 + ["test"] * 4 + ["train"] * 4 and "12 sequences" in told


def test_numbers_are_classes_in_their_order(tmp_path):
    content = "sequence,label\n" + f"{A},10\n{B},9\n{A},10\n{B},9\n"
    assert collected(tmp_path, "a.csv", content)[2] == {"classes": ["9", "10"]}


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.csv", "", "a.csv: expected sequences, found an empty file"),
        ("a.csv", "sequence,label\n", "a.csv: expected a row for each sequence, found none"),
        ("a.csv", PLAIN + "ACJT,1\n", "a.csv, line 6: expected ACGTU, N or .*'J' as letter 3 of 4"),
        ("a.csv", PLAIN + ",1\n", "line 6: expected a sequence, found none"),
        ("a.csv", PLAIN + "ACGT,\n", "line 6: expected a label, found none"),
        ("a.csv", PLAIN + "ACGT,1,x\n", r"line 6: expected 2 fields \(sequence, label\), found 3"),
        ("a.csv", PLAIN + "ACGT\n", r"line 6: expected 2 fields \(sequence, label\), found 1"),
        ("a.csv", PLAIN.replace(",1", ",0"), "expected two classes or more, found '0' alone"),
        ("a.csv", PLAIN.replace("label", "sequence"), "each column once, found 'sequence' twice"),
        ("a.csv", PLAIN + "A" * 200_000 + ",1\n", "line 6: expected a row, found: field larger"),
        ("a.csv", PLAIN.encode() + b"ACGT,\xe9\n", "line 6: expected UTF-8 .* the byte 0xe9"),
        ("a.xlsx", b"PK\x03\x04\xff\xfe", "expected UTF-8 text.*Save it as CSV or FASTA"),
        ("a.csv.gz", b"no gzip", "a.csv.gz: cannot be read after line 0"),
        ("a.csv.gz", PACKED[:-9], "cannot be read after line"),
        ("a.fq", "@r\nACGT\n+\nIIII\n", "expected FASTA or a table, found FASTQ"),
        ("a.fa", f">x\n{A}\n>y\n{B}\n", "expected a label in each header .*found >x"),
        ("a.csv", f"a,b,c\n{A},0,x\n{B},1,y\n", "a column of classes, found b, c.*LABEL=column"),
        ("a.csv", "a,label\nHELLO,0\nWORLD,1\n", "expected a column of sequences, found a, label"),
        (
            "a.csv",
            "sequence,label\n" + "".join(f"{A},{n / 7}\n" for n in range(40)),
            "found 40 labels .* in 40 rows. Name the column of the classes: LABEL=column",
        ),
        (
            "a.csv",
            f"id,sequence,label\nx,{A},0\ny,{B},1\nx,{A},0\n",
            "line 4: expected each id once, found 'x' as in line 2",
        ),
        (
            "a.csv",
            f"id,sequence,label\n{'x' * 300},{A},0\ny,{B},1\n",
            "line 2: expected an id of at most 200 letters, found 300",
        ),
        (
            "a.csv",
            f"sequence,label,split\n{A},0,train\n{B},1,train\n{A},2,test\n{B},1,test\n{A},0,val\n"
            f"{A},0,train\n",
            "line 4: expected a label that is in train too, found '2' in test alone",
        ),
        (
            "a.csv",
            f"sequence,label,split\n{A},0,train\n{B},1,\n{A},0,train\n{B},1,train\n",
            "line 3: expected a split, as other rows have, found none",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line(tmp_path, name, content, line):
    with pytest.raises(InputError, match=line) as error:
        collected(tmp_path, name, content)
    assert "\n" not in str(error.value) and not (tmp_path / "raw.jsonl").exists()


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({}, "expected train.csv and, if you have them, dev.csv and test.csv, found nothing"),
        ({"dev.csv": PLAIN, "test.csv": PLAIN}, "expected train.csv .* found dev.csv, test.csv"),
        ({"train.csv": PLAIN, "train.fa": ""}, "one file for train, found train.csv and train.fa"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(tmp_path, files, line):
    (tmp_path / "in").mkdir()
    for name, content in files.items():
        (tmp_path / "in" / name).write_text(content)
    with pytest.raises(InputError, match=line):
        collect(tmp_path / "in", tmp_path / "raw.jsonl")


def test_a_column_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(InputError, match="SPLIT: expected one of sequence, label, found 'set'"):
        collected(tmp_path, "a.csv", PLAIN, split="set")


@given(st.text("ACGTUNacgtun" + SEVERAL + " \n", min_size=1))
def test_cleaned_letters_are_those_of_the_alphabet(text):
    if not text.strip():
        with pytest.raises(InputError, match="x: expected a sequence"):
            cleaned(text, "x")
        return
    letters, changed = cleaned(text, "x")
    assert set(letters) <= set(LETTERS) and len(letters) == len("".join(text.split()))
    assert changed["U read as T"] == text.upper().count("U")


@pytest.mark.parametrize("content", ["", "{}\n", "[1]\n", '["a", "A", "0", 1]\n'])
def test_a_raw_file_of_another_form_is_refused(tmp_path, content):
    (tmp_path / "raw.jsonl").write_text(content)
    with pytest.raises(InputError, match="expected rows that `make dna DATA=path` wrote"):
        read_collected(tmp_path / "raw.jsonl")


def test_sequences_without_labels_are_read_one_after_another(tmp_path):
    (tmp_path / "new.tsv").write_text("name\tsomething\tletters\na\t5\tACGT\nb\t\tTTU\n")
    (tmp_path / "new.fasta").write_text(">a x\nAC\nGT\n> \nTTU\n")
    for name, ids in (("new.tsv", ["a", "b"]), ("new.fasta", ["a", "2"])):
        found = list(read_sequences(tmp_path / name))
        assert [own for own, _ in found] == ids
        assert np.array_equal(found[0][1], [0, 1, 2, 3]) and found[1][1].tolist() == [3, 3, 3]
