"""Training, validation and test side by side: labels, lines, accuracy_by_split.csv, terminal."""

import pytest
from fabricated_run import metrics_row
from rich.console import Console

from reporting.formats import label
from reporting.splits import COLUMNS, classifiers, lines, more_views, record
from reporting.terminal import Column, Group, table

PLAIN = "MLP 784-512-256-10"
MIX = "Ensemble of searched and mixer"


def ours(**changed) -> dict:
    return {**metrics_row(**{"ci": None, **changed}), "source": "this run", "run": "x"}


def test_the_label_of_a_row_is_composed_from_its_columns():
    assert label(ours()) == PLAIN
    assert label(ours(views="flips and shifts")) == f"{PLAIN} + flips and shifts"
    assert label(ours(members="5 folds")) == f"{PLAIN} (ensemble of 5 folds)"
    apart = ours(views="flips", members="5 seeds", subset="not in train")
    assert label(apart) == f"{PLAIN} + flips (ensemble of 5 seeds, test rows not in train)"
    assert label(ours(views="flips"), inputs=True) == f"{PLAIN} on pixels + flips"
    mix = ours(model=MIX, members="5 folds + 1 seed", inputs="as its members", views="flips")
    assert label(mix) == f"{MIX} + flips (5 folds + 1 seed)"
    published = {"model": "WRN + erasing", "views": None, "members": None, "subset": None}
    assert label(published) == "WRN + erasing"


def test_each_split_goes_into_its_own_column_and_flips_into_none_of_the_others():
    rows = [
        ours(split="train", values=[0.99, 0.98]),
        ours(split="cv", values=[0.90, 0.92, 0.94]),
        ours(split="val", values=[0.5]),
        ours(values=[0.91, 0.93]),
        ours(views="flips and shifts", values=[0.97, 0.99]),
        ours(views="flips and shifts", split="cv", values=[0.96]),
        ours(views="flips", values=[0.95]),
        ours(views="flips", split="cv", values=[0.96]),
        ours(views="both strands", values=[0.6]),
        ours(subset="not in train", values=[0.1]),
        ours(metric="token_accuracy", values=[0.2]),
        {**ours(values=[0.3], model="someone"), "source": "Someone (2020)"},
    ]
    (line,) = classifiers(rows)
    told = record(line)
    assert tuple(told) == COLUMNS
    assert [text.split(" + ")[1] for text in more_views(line)] == [
        "flips", "flips and shifts", "both strands",
    ]  # fmt: skip
    assert (told["train"], told["test"], told["test_flips"]) == (0.985, 0.92, 0.95)
    assert told["test_shifts"] == 0.98 and told["test_shifts_std"] > 0
    assert told["validation"] == pytest.approx(0.92) and told["validation_of"] == "3 folds"
    assert (told["test_seeds"], told["kind"]) == (2, "single model")
    assert (told["train_seconds"], told["train_flops"]) == (61.2, 1.93e13)
    assert told["test_both_strands"] == 0.6 and told["test_both_strands_std"] is None
    assert {line.metric for line in lines(rows)} == {"accuracy", "token_accuracy"}


def test_the_order_is_that_of_validation_whatever_the_test_says():
    rows = [
        ours(model=model, members=members, split=split, values=[value])
        for model, members, values in (
            ("a", "1", {"val": 0.8, "test": 0.99}),
            ("b", "1", {"val": 0.9, "test": 0.5}),
            ("no validation", "1", {"train": 1.0, "test": 1.0}),
            ("a", "5 folds", {"cv": 0.95, "test": 0.4}),
        )
        for split, value in values.items()
    ]
    assert [line.label() for line in classifiers(rows)] == [
        "b", "a", "no validation", "a (ensemble of 5 folds)",
    ]  # fmt: skip
    assert record(classifiers(rows)[-1])["kind"] == "ensemble"
    assert record(classifiers(rows)[-1])["validation_of"] == "1 fold, by one net of each kind"


def test_the_validation_value_of_a_mix_is_that_of_fewer_members():
    about = {"model": MIX, "inputs": "as its members"}
    rows = [
        ours(**about, members="5 folds + 3 seeds", values=[0.9]),
        ours(**about, members="1 fold + 1 fold", split="cv", values=[0.8]),
    ]
    (line,) = lines(rows)
    assert line.members == "5 folds + 3 seeds"
    assert (line.test["value"], line.validation["value"]) == (0.9, 0.8)


def test_a_data_set_with_one_split_alone_is_no_table():
    assert classifiers([ours(), ours(model="other")]) == []


@pytest.mark.parametrize("width", [32, 40, 61, 80, 133, 200])
def test_nothing_is_cut_at_any_width(width):
    names = ["a model of a rather long name, in several words", "short"]
    rows = [(name, ("0.9910 ± 0.0010", "", "12 min 30 s"), "bold") for name in names]
    columns = [Column("test", 0), Column("never measured", 1), Column("time", 2)]
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table([Group("fashion_mnist: accuracy", rows)], columns, width))
    text = captured.get()
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    assert all(word in words for name in names for word in name.split())
    assert text.count("0.9910 ± 0.0010") == 2 and "never" not in text
    assert ("12 min 30 s" in text) != ("Not shown" in text)
