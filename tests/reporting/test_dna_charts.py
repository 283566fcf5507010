"""Curves of class probabilities, logos and profiles."""

import re

import numpy as np
import pytest
from fabricated_run import motifs, score_curves

from reporting import logos
from reporting.score_curves import quality_of
from reporting.score_curves import score_curves as drawn


def test_a_model_stands_beside_its_baselines():
    records = [score_curves("net", 0.9), score_curves("GC content", 0.6)]
    roc, recall, reliability = drawn(records, "m")
    assert 'aria-label="m: ROC curves"' in roc
    assert "net: 0.900" in roc and "GC content: 0.600" in recall
    assert re.search(r'class="line s1 faint" stroke-dasharray="6 3"', roc)
    # From (0, 0) to (1, 1) of the plot, and chance.
    assert 'points="30.0,180.0 62.0,36.0 190.0,20.0"' in roc
    assert 'stroke-dasharray="2 3" points="30.0,180.0 190.0,20.0"' in roc
    assert 'points="30.0,100.0 190.0,100.0"' in recall
    # Areas of dots are examples: 2 of them and 8.
    assert re.findall(r' r="([\d.]+)"', reliability) == ["4.5", "7.0"]
    assert quality_of(records) == (
        "area under the ROC curve (AUC) 0.900, average precision (AP) 0.900,"
        " calibration error (ECE) 0.031"
    )


def test_several_classes_are_lines_of_the_model_alone():
    record = score_curves("net", 0.9)
    for curve, value in (("roc", "auc"), ("precision_recall", "average_precision")):
        record[curve] = [
            {**record[curve][0], "class": f"c{k}", value: 0.9 - k / 100} for k in range(8)
        ]
    roc, recall, _ = drawn([record, score_curves("GC content", 0.6)], "m")
    assert "GC content" not in roc + recall and roc.count("<polyline") == 1 + 6
    assert "c7: 0.830" in roc and "c0" not in roc  # the hardest six
    assert "on average over the classes" in quality_of([record])


def test_what_the_labels_do_not_give_is_left_out():
    record = score_curves("net", 0.9)
    record["roc"][0] |= {"auc": None, "true": None}
    record["precision_recall"][0] |= {"average_precision": None, "recall": None}
    assert len(drawn([record], "m")) == 1
    assert quality_of([record]) == "calibration error (ECE) 0.031"


def test_heights_are_bits():
    counts = np.array([[1000, 0, 0, 0], [500, 500, 0, 0], [250] * 4, [0, 0, 0, 4]])
    heights = logos.information(counts)
    assert heights[0, 0] == pytest.approx(2, abs=0.01)
    assert heights[1, :2] == pytest.approx([0.5, 0.5], abs=0.01)
    assert heights[2] == pytest.approx([0] * 4, abs=0.01)
    # Four letters alike are less certain than a thousand: 2 - 3 / (2 ln 2 4).
    assert heights[3, 3] == pytest.approx(2 - 3 / (8 * np.log(2)))


def test_a_logo_has_the_consensus_and_the_other_strand():
    first, second = logos.logos(motifs(), "m")
    assert "promoter: TATA box" in first and "promoter: motif 2" in second
    letters = re.findall(r'class="mono ink" text-anchor="middle">(\w)', first)
    assert "".join(letters) == "ATATAT" and "reverse complement" in first
    assert 'class="mono ink"' not in second
    one_strand = logos.logos(motifs() | {"both_strands": False}, "m")[0]
    assert 2 * one_strand.count("glyph") == first.count("glyph")


def test_a_word_has_iupac_letters():
    letters = [[9, 0, 0, 1], [5, 0, 5, 0], [3, 3, 2, 2], [0, 0, 0, 0]]
    assert logos.word({"letters": letters, "place": 0, "length": 4}) == "ARNN"
    assert logos.word({"letters": letters, "place": 1, "length": 2}) == "RN"


def test_a_profile_marks_the_motifs():
    first, second = logos.profiles(motifs(), "m")
    assert "7: promoter, p = 0.980" in first
    assert "TATA box" in first and "motif 2" in first and "TATA box" not in second
    # 100 letters are three lines; a mark that goes over an end is drawn on both.
    assert first.count('class="mono"') == 3 and first.count('class="mark"') == 3
    heights = [float(h) for h in re.findall(r"scale\([\d.]+ (-?[\d.]+)\)", first)]
    assert min(heights) < 0 < max(heights) == 0.4


def test_of_a_long_sequence_the_strongest_part_is_drawn():
    effects = [0.0] * 500
    effects[400] = 2.0
    one = {"id": "a", "class": "x", "probability": 1.0, "letters": "C" * 500, "effects": effects}
    text = logos.profile({**one, "marks": []}, [], "m")
    lines = re.findall(r'class="mono" [^>]*>(\w+)<', text)
    assert list(map(len, lines)) == [40] * 4 and text.count("glyph") == 1
