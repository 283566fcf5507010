"""Training, validation and test told apart: model names, lines, accuracy_by_split.csv, terminal."""

import pytest
from fabricated_run import metrics_row

from reporting.model_names import inputs, is_ensemble, member, members
from reporting.splits import COLUMNS, classifiers, lines, record
from reporting.terminal import Column, Group, table

IMAGES = "image_classification"
PLAIN = "MLP 784-512-256-10"
HOG = "MLP 2388-1024-1024-10 on pixels + HOG"
SEVERAL = "ensemble of searched (5 folds), mixer (1 seed)"


def ours(**changed) -> dict:
    return {**metrics_row(**{"ci": None, **changed}), "source": "this run"}


@pytest.mark.parametrize(
    ("model", "task", "wanted"),
    [
        (PLAIN, IMAGES, "pixels"),
        ("MLP 2388-1024-1024-10 on pixels + HOG", IMAGES, "pixels + HOG"),
        ("MLP 2388-1024-1024-10 on pixels + HOG + flips", IMAGES, "pixels + HOG"),
        ("ensemble of 5 folds, MLP 1604-10 on HOG + flips", IMAGES, "HOG"),
        ("Mixer of 49 tokens x 48, 1 block on pixels", IMAGES, "pixels"),
        ("Pyramid of 16 tokens x 8, 2 levels, as mixer, on pixels + HOG", IMAGES, "pixels + HOG"),
        ("MLP 784-1024-10, chosen by halving", IMAGES, "pixels"),
        (f"{HOG} + flips and shifts", IMAGES, "pixels + HOG"),
        (f"{SEVERAL} + flips", IMAGES, "as its members"),
        ("Transformer encoder, ensemble of 5 seeds", "dna_classification", "nucleotides"),
    ],
)
def test_the_inputs_are_told_from_the_name(model, task, wanted):
    assert inputs(model, task) == wanted


def test_an_ensemble_s_members_are_told_from_its_name():
    for views in ("", " + flips", " + flips and shifts", " + shifts"):
        assert member(f"ensemble of 5 folds, {PLAIN}{views}") == PLAIN
    assert member("Transformer encoder, ensemble of 5 seeds") == "Transformer encoder"
    assert members(f"ensemble of 5 folds, {PLAIN}") == "5 folds"
    assert (member(SEVERAL), members(SEVERAL)) == (SEVERAL, "")
    assert is_ensemble(SEVERAL) and not is_ensemble(PLAIN)


def test_each_split_goes_into_its_own_column_and_flips_into_none_of_the_others():
    rows = [
        ours(split="train", values=[0.99, 0.98]),
        ours(split="cv", values=[0.90, 0.92, 0.94]),
        ours(split="val", values=[0.5]),
        ours(values=[0.91, 0.93]),
        ours(model=f"{PLAIN} + flips", values=[0.95]),
        ours(model=f"{PLAIN} + flips", split="cv", values=[0.96]),
        ours(model=f"{PLAIN} + flips and shifts", values=[0.97, 0.99]),
        ours(model=f"{PLAIN} + flips and shifts", split="cv", values=[0.96]),
        ours(model=f"{PLAIN} (test rows not in train)", values=[0.1]),
        ours(metric="macro_f1", values=[0.2]),
        {**ours(values=[0.3], model="someone"), "source": "Someone (2020)"},
    ]
    (line,) = classifiers(rows)
    told = record(line)
    assert tuple(told) == COLUMNS
    assert (told["train"], told["test"], told["test_flips"]) == (0.985, 0.92, 0.95)
    assert told["test_shifts"] == 0.98 and told["test_shifts_std"] > 0
    assert told["validation"] == pytest.approx(0.92) and told["validation_of"] == "3 folds"
    assert (told["test_seeds"], told["kind"]) == (2, "single model")
    assert told["train_seconds"] == 61.2
    assert {line.metric for line in lines(rows)} == {"accuracy", "macro_f1"}


def test_the_order_is_that_of_validation_whatever_the_test_says():
    rows = [
        ours(model=model, split=split, values=[value])
        for model, values in (
            ("a", {"val": 0.8, "test": 0.99}),
            ("b", {"val": 0.9, "test": 0.5}),
            ("no validation", {"train": 1.0, "test": 1.0}),
            ("ensemble of 5 folds, a", {"cv": 0.95, "test": 0.4}),
        )
        for split, value in values.items()
    ]
    assert [line.model for line in classifiers(rows)] == [
        "b", "a", "no validation", "ensemble of 5 folds, a",
    ]  # fmt: skip
    assert record(classifiers(rows)[-1])["validation_of"] == "1 fold, by one net of each kind"


def test_a_data_set_with_one_split_alone_is_no_table():
    assert classifiers([ours(), ours(model="other")]) == []


@pytest.mark.parametrize("width", [32, 40, 61, 80, 133, 200])
def test_nothing_is_cut_at_any_width(width):
    names = ["a model of a rather long name, in several words", "short"]
    rows = [(name, ("0.9910 ± 0.0010", "", "12 min 30 s"), "bold") for name in names]
    columns = [Column("test", 0), Column("never measured", 1), Column("time", 2)]
    text = table([Group("fashion_mnist: accuracy", rows)], columns, width).plain
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    assert all(word in words for name in names for word in name.split())
    assert text.count("0.9910 ± 0.0010") == 2 and "never" not in text
    assert ("12 min 30 s" in text) != ("Not shown" in text)
