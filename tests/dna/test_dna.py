"""Readers and splits of DNA: tiny made files, faults in them, and the grouping property."""

import numpy as np
import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dna import sequences as dna
from dna import statlog
from pipeline.errors import InputError
from torch_nn.dna_augmentation import reverse_complement


def test_encode_reads_both_cases_and_unknown():
    assert dna.encode("ACGTNacgtn").tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("letter", ["R", "-", " ", "U", "?", "é", "語", "\x00", "\xff"])
def test_encode_names_the_character(letter):
    with pytest.raises(InputError) as error:
        dna.encode(f"ACG{letter}T", "made.csv line 7")
    assert "made.csv line 7" in str(error.value)
    assert repr(letter) in str(error.value) and "character 4 of 5" in str(error.value)


@given(st.text())
def test_encode_accepts_its_letters_alone(text):
    if text and set(text.upper()) <= set(dna.LETTERS) and text.isascii():
        assert "".join(dna.LETTERS[token] for token in dna.encode(text)) == text.upper()
    else:
        with pytest.raises(InputError):
            dna.encode(text)


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_is_read(tmp_path):
    sequences, labels = dna.read_labelled_csv(
        write(tmp_path / "train.csv", "sequence,label\nACGT,1\nnn,0\r\n")
    )
    assert [row.tolist() for row in sequences] == [[0, 1, 2, 3], [4, 4]]
    assert labels.tolist() == [1, 0] and labels.dtype == np.int64


def test_a_byte_order_mark_and_blank_lines_are_no_rows(tmp_path):
    text = "\ufeffsequence,label\r\nACGT,1\r\n\r\nNN,0\r\n\r\n"
    sequences, labels = dna.read_labelled_csv(write(tmp_path / "train.csv", text), max_length=4)
    assert [len(row) for row in sequences] == [4, 2] and labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: expected the header"),
        ("label,sequence\n1,ACGT\n", "line 1: expected the header"),
        ("sequence,label\n", "expected rows"),
        ("sequence,label\nACGT,1\nACGT\n", "line 3: expected 2 fields"),
        ("sequence,label\nACGT,1,2\n", "line 2: expected 2 fields"),
        ("sequence,label\n\nACGT\n", "line 3: expected 2 fields"),
        ("sequence,label\nACGT,-1\n", "line 2: expected a class number"),
        ("sequence,label\nACGT,1.0\n", "line 2: expected a class number"),
        ("sequence,label\nACGT,²\n", "line 2: expected a class number"),
        ("sequence,label\nACGT,٣\n", "line 2: expected a class number"),
        ("sequence,label\nACGT,99999999999999999999\n", "line 2: expected a class number"),
        ("sequence,label\n,1\n", "line 2: expected nucleotides, found an empty"),
        ("sequence,label\nACGT,1\nACXT,0\n", "line 3: expected one of ACGTN"),
        (b"sequence,label\nAC\xff\xfeT,0\n", "expected UTF-8"),
        ("sequence,label\nA,1\n" + "A" * 200_000 + ",1\n", "line 3: expected a row of CSV"),
        ("sequence,label\nA,1\n" + "A" * 1001 + ",1\n", "line 3: expected at most max_length 1000"),
    ],
)
def test_a_broken_csv_is_refused(tmp_path, text, says):
    path = write(tmp_path / "train.csv", text)
    with pytest.raises(InputError) as error:
        dna.read_labelled_csv(path)
    assert says in str(error.value) and "train.csv" in str(error.value)


def test_statlog_bits():
    bits = np.array([[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]])
    assert statlog.statlog_tokens(bits).tolist() == [[0, 1, 2, 3]]
    bits[0, 4:6] = 1
    with pytest.raises(InputError, match="row 1, nucleotide 2.*found \\[0, 1, 1\\]"):
        statlog.statlog_tokens(bits)


@pytest.mark.parametrize("bit", ["2", "-1", "0.5", "NA", ""])
def test_statlog_bits_are_0_or_1(monkeypatch, bit):
    frame = pandas.DataFrame({f"V{i + 1}": ["0"] * 2001 for i in range(180)})
    frame["Class"] = ["ei"] * 2001
    monkeypatch.setattr(statlog.rdata, "read_rda", lambda path: {"DNA": frame})
    assert (statlog.read_statlog("DNA.rda")[0] == 3).all()
    frame.loc[6, "V5"] = bit
    with pytest.raises(InputError, match="row 7, nucleotide 2: expected bits"):
        statlog.read_statlog("DNA.rda")


def test_statlog_refuses_what_is_no_r_data(tmp_path):
    with pytest.raises(InputError, match="DNA.rda"):
        statlog.read_statlog(write(tmp_path / "DNA.rda", b"RDX3\nnot really"))


@given(
    st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=3), min_size=2, max_size=40),
    st.floats(0, 0.9),
    st.integers(0, 9),
)
def test_equal_sequences_stay_on_one_side(rows, share, seed):
    x = np.array(rows, np.uint8)
    train, val = dna.grouped_split(x, share, seed)
    assert sorted([*train, *val]) == list(range(len(x))) and len(train) > 0
    assert not dna.known_rows(x[val], x[train]).any()
    assert np.array_equal(dna.grouped_split(x, share, seed)[0], train)
    if share == 0:
        assert len(val) == 0


def test_the_share_is_met_where_all_differ():
    x = np.arange(200, dtype=np.uint8).reshape(100, 2)
    assert len(dna.grouped_split(x, 0.15, 1)[1]) in (15, 16)


def test_known_rows_and_padding():
    x = dna.pad([np.array([0, 1]), np.array([0])], 3)
    assert x.tolist() == [[0, 1, 5], [0, 5, 5]]
    assert dna.known_rows(x, x[1:]).tolist() == [False, True]


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5), min_size=1, max_size=20))
def test_what_a_training_on_both_strands_takes_for_one(rows):
    x = dna.pad([np.array(row, np.uint8) for row in rows], 5)
    other = dna.other_strands(x)
    assert np.array_equal(other, reverse_complement(torch.from_numpy(x), dna.PAD).numpy())
    alike = dna.as_trained(x, both_strands=True)
    assert np.array_equal(alike, dna.as_trained(other, both_strands=True))
    assert ((alike == x).all(axis=1) | (alike == other).all(axis=1)).all()
    assert np.array_equal(dna.as_trained(x, both_strands=False), x)
    train, val = dna.grouped_split(np.concatenate([alike, alike]), 0.4, 1)
    assert not dna.known_rows(np.concatenate([x, other])[val], other[train % len(x)]).any()
