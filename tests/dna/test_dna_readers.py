"""DNA's readers where test_dna.py does not look: ends of ranges, mlbench's table, groups."""

import numpy as np
import pandas as pd
import pytest
import rdata

from dna import sequences as dna
from dna import statlog
from pipeline.errors import InputError


def table(rows: int = 2001, bits: int = 180) -> pd.DataFrame:
    """mlbench's DNA, each odd row all A and each even one all C; classes ei, ie, n in turn."""
    first = [["0", "1", "0"] * (bits // 3), ["1", "0", "0"] * (bits // 3)]
    frame = pd.DataFrame([first[row % 2] for row in range(1, rows + 1)], dtype="category")
    frame["Class"] = [("ei", "ie", "n")[row % 3] for row in range(rows)]
    return frame


def read(monkeypatch, frame):
    monkeypatch.setattr(rdata, "read_rda", lambda path: {"DNA": frame})
    return statlog.read_statlog("DNA.rda")


def test_mlbench_s_table_is_read(monkeypatch):
    tokens, labels = read(monkeypatch, table())
    assert tokens.shape == (2001, 60) and tokens.dtype == np.uint8 and labels.dtype == np.int64
    assert tokens[:3].tolist() == [[0] * 60, [1] * 60, [0] * 60]
    assert labels[:4].tolist() == [0, 1, 2, 0]


def changed(at, value) -> pd.DataFrame:
    frame = table().astype(str)
    frame.iloc[at] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (table(rows=2000), "not more than 2000 rows of 180 bits"),
        (table(bits=177), "not more than 2000 rows of 180 bits"),
        (changed((4, 5), "2"), r"row 5, nucleotide 2: .*found \[1, 0, -1\]"),
        (changed((4, 3), "x"), r"row 5, nucleotide 2: .*found \[-1, 0, 0\]"),
        (changed((0, 180), "ee"), "x not in tuple"),
    ],
)
def test_another_table_is_refused(monkeypatch, frame, says):
    with pytest.raises(InputError, match=f"^DNA.rda: expected R data .*{says}"):
        read(monkeypatch, frame)


@pytest.mark.parametrize(("label", "number"), [("0", 0), ("007", 7), ("999999999", 999_999_999)])
def test_a_label_is_a_number_of_up_to_nine_digits(tmp_path, label, number):
    (tmp_path / "a.csv").write_text(f"sequence,label\nA,{label}\n")
    assert dna.read_labelled_csv(tmp_path / "a.csv")[1].tolist() == [number]


@pytest.mark.parametrize("label", ["1000000000", "٣", "", "+1", " 1"])
def test_any_other_label_is_refused(tmp_path, label):
    (tmp_path / "a.csv").write_text(f"sequence,label\nA,{label}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: expected a class number"):
        dna.read_labelled_csv(tmp_path / "a.csv")


def test_every_token_is_below_the_size_of_the_vocabulary():
    tokens = [*dna.encode("ACGTN"), dna.PAD]
    assert sorted(tokens) == list(range(dna.VOCABULARY)) and dna.encode("N") == [dna.UNKNOWN]


def test_padding_is_on_the_right_and_of_one_byte():
    x = dna.pad([np.array([0, 1, 2], np.uint8), np.array([4], np.uint8)], 3)
    assert x.dtype == np.uint8 and x.tolist() == [[0, 1, 2], [4, 5, 5]]
    assert dna.known_rows(x, x[:0]).tolist() == [False, False]


def test_whole_groups_reach_the_share_and_one_stays_in_train():
    x = np.repeat(np.arange(10, dtype=np.uint8)[:, None], 4, axis=0)  # 10 groups of 4 rows
    for share, rows in ((0.1, 4), (0.11, 8), (0.5, 20), (0.99, 36)):
        train, val = dna.grouped_split(x, share, 3)
        assert len(val) == rows and train.dtype == val.dtype == np.int64
        assert (np.diff(train) > 0).all() and (np.diff(val) > 0).all()
    vals = {tuple(dna.grouped_split(x, 0.1, seed)[1]) for seed in range(5)}
    assert len(vals) > 1
    train, val = dna.grouped_split(x[:4], 0.5, 3)  # a single group
    assert len(train) == 4 and len(val) == 0
