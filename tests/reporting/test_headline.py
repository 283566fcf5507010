"""The summary: what validation chose, what competes, how numbers are written."""

import pytest
from fabricated_run import of_this_run

from reporting.formats import flops, seconds, weights
from reporting.headline import claims, compared, headline
from reporting.leaderboard import METRICS
from reporting.tables import markdown_table


def test_the_headline_is_chosen_by_validation_and_never_mixes_splits():
    rows = [
        of_this_run(split="cv", values=[0.99]),
        of_this_run(),
        of_this_run(model="no validation, better on test", values=[0.94]),
        of_this_run(model="other", split="cv", values=[0.98]),
        of_this_run(model="other", values=[0.93]),
    ]
    told = {"dataset": "fashion_mnist", "metric": "accuracy", "protocol": "", "model": "m"}
    references = [
        {**told, "split": "test", "value": 0.95, "comparable": True},
        {**told, "split": "test", "value": 0.96, "comparable": False},
        {**told, "split": "cv", "value": 0.97, "comparable": True},
    ]
    (entry,) = headline(rows, references, ["fashion_mnist", "absent"])
    assert entry["best"]["split"] == "test" and entry["best"]["value"] == rows[1]["value"]
    assert (entry["chosen_by"], entry["among"]) == ("cv", 3)
    assert entry["published"]["value"] == 0.95 and entry["published"]["standing"] == "behind"
    held = {**entry["best"], "ci_low": 0.90, "ci_high": 0.96}
    assert compared(held, {"value": 0.95})["standing"] == "within our interval"
    assert compared(held, {"value": 0.89})["standing"] == "ahead"
    loss = of_this_run(metric="bits_per_byte", values=[1.0])
    told = [compared(loss, {"value": value})["standing"] for value in (0.9, 1.1)]
    assert told == ["behind", "ahead"]


@pytest.mark.parametrize(
    "aside",
    [
        *({"views": views} for views in ("flips", "flips and shifts", "shifts", "both strands")),
        *({"members": "3 seeds"}, {"subset": "not in train"}),
    ],
)
def test_flips_ensembles_and_parts_of_the_test_set_are_no_headline(aside):
    rows = [
        of_this_run(model=model, split=split, values=[value], **columns)
        for model, value, columns in (("MLP", 0.5, {}), ("CNN", 0.8, {}), ("CNN", 0.9, aside))
        for split in ("val", "test")
    ]
    (entry,) = headline(rows, [], ["fashion_mnist"])
    assert (entry["best"]["label"], entry["best"]["value"]) == ("CNN", 0.8)
    assert (entry["chosen_by"], entry["among"]) == ("val", 2)


def test_a_model_that_only_reads_several_views_is_shown_without_a_published_result():
    rows = [
        of_this_run(views="both strands", split=split, values=[0.9]) for split in ("val", "test")
    ]
    told = {"dataset": "fashion_mnist", "metric": "accuracy", "split": "test", "comparable": True}
    references = [{**told, "value": 0.95, "model": "other", "source": "s"}]
    (entry,) = headline(rows, references, ["fashion_mnist"])
    assert (entry["best"]["value"], entry["published"]) == (0.9, None)
    (line,) = markdown_table(rows, {"s": {"citation": "Someone (2020)"}}, references)[2:]
    assert "| 0.9000 (1 seed) |  | 0.9000 + both strands |" in line and "0.95" not in line


def test_lower_is_better_for_a_loss_and_without_validation_no_test_value_chooses():
    rows = [
        of_this_run(model=model, metric="bits_per_byte", split=split, values=[value])
        for model, values in (("a", (1.0, 0.8)), ("b", (0.9, 0.85)))
        for split, value in zip(("val", "test"), values, strict=True)
    ]
    (entry,) = headline(rows, [], ["fashion_mnist"])
    assert entry["best"]["model"] == "b"
    tested = [row for row in rows if row["split"] == "test"]
    tested[0]["value"] = 2.0
    (entry,) = headline(tested, [], ["fashion_mnist"])
    assert (entry["best"]["model"], entry["chosen_by"]) == ("a", None)
    tested[1]["train_flops"] *= 2  # then the costliest training
    assert headline(tested, [], ["fashion_mnist"])[0]["best"]["model"] == "b"


def test_the_table_quotes_only_what_compares():
    rows = [of_this_run(model="CNN", views=views, values=[0.9]) for views in ("none", "flips")]
    told = {"dataset": "fashion_mnist", "metric": "accuracy", "split": "test", "source": "s"}
    references = [
        {**told, "model": "fair", "value": 0.95, "comparable": True},
        {**told, "model": "unfair", "value": 0.99, "comparable": False},
    ]
    rows += [
        of_this_run(model=f"Ensemble of {what}", members="1 seed + 1 seed", values=[0.95])
        for what in ("a and b", "b and c")
    ]
    sources = {"s": {"citation": "Someone (2020), Somewhere"}}
    lines = markdown_table(rows, sources, references)
    single, *mixes = lines[2:]
    assert "| 0.9500, fair; Someone (2020) | x<br>`0123456` |" in single
    assert len(mixes) == 2 and all("|  | x<br>" in line for line in mixes)
    assert "unfair" not in "".join(lines)


def test_a_claim_of_the_field_is_not_set_beside_data_of_one_s_own():
    claim = {"task": "dna_classification", "dataset": None, "split": None}
    own = {"task": "dna_classification", "stands_in_for": []}
    assert claims([claim], {"own/mine": own}) == []
    assert claims([claim], {"own/mine": own, "statlog_dna": own}) == [claim]


def test_numbers_as_people_read_them():
    assert [weights(n) for n in (None, 850, 7850, 535818, 10650000)] == [
        "", "850", "7.85 k", "536 k", "10.7 M",
    ]  # fmt: skip
    assert [seconds(s) for s in (None, 4.23, 61.2, 200, 7500)] == [
        "", "4.2 s", "61 s", "3 min 20 s", "2 h 5 min",
    ]  # fmt: skip
    assert [flops(n) for n in (None, 1e6, 4e13, 2.196e14, 9.996e14, 1.234e18, 5e24)] == [
        "", "1.00 MFLOP", "40.0 TFLOP", "220 TFLOP", "1.00 PFLOP", "1.23 EFLOP", "5.00e+03 ZFLOP",
    ]  # fmt: skip


def test_every_metric_has_a_place_among_the_ranges():
    assert all(metric.low < metric.high and metric.title for metric in METRICS.values())
