"""The leaderboard: columns, checks, order, and which published results may stand on it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fabricated_run import fabricate, metrics_row, of_this_run, read_rows

from pipeline.atomic import write_csv
from pipeline.errors import InputError
from pipeline.results import COLUMNS
from reporting import build_leaderboard, print_leaderboard
from reporting.leaderboard import (
    KEY,
    METRICS,
    build,
    check_value,
    number,
    order,
    ordinary,
    panels,
    published_rows,
    read_leaderboard,
    read_metrics,
    read_references,
)

# What sets a row apart from that of one trained model on the whole split.
ASIDE = [{"views": "flips"}, {"members": "5 seeds"}, {"subset": "not in train"}]
LESS_IS_BETTER = ("nats_per_token", "bits_per_byte", "calibration_error")
ISSUE_COLUMNS = (
    "task,dataset,model,inputs,views,members,subset,implementation,metric,split,value,std,n_seeds,"
    "ci_low,ci_high,parameters,train_seconds,train_flops,threads,device,kernels,run,source,commit,config_sha256,data_sha256"
)


@pytest.fixture
def references(repository) -> Path:
    return repository / "config" / "references.yaml"


@pytest.fixture(scope="module")
def finished(repository, tmp_path_factory) -> Path:
    """results/made-up: a fabricated run with its leaderboard, built by the program itself."""
    folder = tmp_path_factory.mktemp("finished") / "results" / "made-up"
    files = fabricate(folder)
    spec = json.dumps({"run": "made-up", "config_sha256": "cd" * 32})
    words = ["build_leaderboard", "--spec", spec, "--metrics", *files["metrics"]]
    words += ["--references", "config/references.yaml", "--out", folder / "leaderboard.csv"]
    words += ["--splits", folder / "accuracy_by_split.csv"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        patch.setattr(sys, "argv", [*map(str, words)])
        build_leaderboard.main()
    return folder


def test_the_file_has_exactly_the_columns_and_says_where_each_row_is_from(finished):
    out = finished / "leaderboard.csv"
    assert out.read_text().splitlines()[0] == ISSUE_COLUMNS
    rows = read_rows(out)
    ours = [row for row in rows if row["source"] == "this run"]
    assert len(ours) == 33
    assert {row["run"] for row in ours} == {"made-up"}
    assert {row["config_sha256"] for row in ours} == {"cd" * 32}
    others = [row for row in rows if row["source"] != "this run"]
    assert others and not any(row["implementation"] or row["run"] for row in others)
    assert [order(row) for row in read_leaderboard(out)] == sorted(
        order(row) for row in read_leaderboard(out)
    )


def test_a_stand_in_gets_no_published_results(references):
    sources, results = read_references(references)
    assert published_rows(sources, results, ["digits", "shapes", "grammar_stories"]) == []
    kept = published_rows(sources, results, ["fashion_mnist"])
    assert {row["dataset"] for row in kept} == {"fashion_mnist"}
    assert {row["value"] for row in kept} >= {0.8833, 0.949}
    # The specification's figure has no split: it is quoted in the report, never ranked.
    assert 0.9498 not in {row["value"] for row in kept}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": 90.1}, "0 to 1"),
        ({"value": "0.9"}, "value"),
        ({"metric": "mcc", "value": 101.0, "ci_low": None, "ci_high": None}, "-100 to 100"),
        ({"metric": "acuracy"}, "'acuracy' is unknown"),
        ({"split": "holdout"}, "split"),
        ({"implementation": "jax"}, "implementation"),
        ({"std": -0.1}, "std"),
        ({"n_seeds": 1}, "one seed has no deviation"),
        ({"n_seeds": 0}, "n_seeds"),
        ({"ci_low": None}, "together"),
        ({"ci_low": 0.95, "ci_high": 0.9}, "above"),
        ({"data_sha256": "none"}, "data_sha256"),
        ({"surplus": 1}, "surplus"),
        ({"inputs": ""}, "inputs"),
        ({"views": "mirrored"}, "views"),
        ({"members": "five"}, "members"),
        ({"subset": "most"}, "subset"),
        ({"train_flops": -1.0}, "train_flops"),
        ({"train_seconds": -1.0}, "train_seconds"),
        ({"parameters": -1}, "parameters"),
        ({"threads": 0}, "threads"),
        ({"ci_high": 1.1}, "ci_high: expected 0 to 1"),
        ({"ci_low": -0.1}, "ci_low: expected 0 to 1"),
        ({"ci_high": None}, "together"),
        ({"task": ""}, "task"),
        ({"dataset": ""}, "dataset"),
        ({"model": ""}, "model"),
        ({"device": ""}, "device"),
        ({"commit": ""}, "commit"),
    ],
)
def test_a_bad_row_is_named_with_its_file_and_field(tmp_path, change, message):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"rows": [metrics_row(), {**metrics_row(), **change}]}))
    with pytest.raises(InputError) as error:
        read_metrics(path)
    assert message in str(error.value)
    assert str(path) in str(error.value) and "rows.1" in str(error.value)


def test_a_good_row_passes_and_a_file_without_rows_does_not(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"rows": [metrics_row()], "notes": {}}))
    assert read_metrics(path)[0]["n_seeds"] == 3
    for text in ("{}", "[]", "nonsense"):
        path.write_text(text)
        with pytest.raises(InputError, match="rows"):
            read_metrics(path)


@pytest.mark.parametrize(
    "change",
    [
        {"value": 0.0, "ci_low": 0.0, "ci_high": 0.0},
        {"value": 1.0, "ci_low": 1.0, "ci_high": 1.0},
        {"metric": "mcc", "value": -100.0, "ci_low": -100.0, "ci_high": 100.0},
        {"metric": "nats_per_token", "value": 11.5, "ci_low": 0.0, "ci_high": 12.0},
        {"metric": "bits_per_byte", "value": 8.5, "ci_low": 0.0, "ci_high": 9.0},
        {"n_seeds": 1, "std": None, "threads": 1},
        {"std": 0.0, "parameters": 0, "train_seconds": 0.0, "train_flops": 0.0},
        {"parameters": None, "train_seconds": None, "train_flops": None},
        {"members": "1 seed"},
        {"members": "5 seeds + 3 folds"},
    ],
)
def test_the_ends_of_each_range_pass(tmp_path, change):
    row = {**metrics_row(), **change}
    (tmp_path / "metrics.json").write_text(json.dumps({"rows": [row]}))
    assert read_metrics(tmp_path / "metrics.json") == [row]


@pytest.mark.parametrize(
    ("metric", "beyond"),
    [
        *[(name, (-0.01, 1.01)) for name in ("token_accuracy", "exact_match", "accepted_share")],
        ("mcc", (-100.1, 100.1)),
        ("nats_per_token", (-0.01,)),
        ("bits_per_byte", (-0.01,)),
    ],
)
def test_values_beyond_a_metric_s_range_are_refused(metric, beyond):
    for value in beyond:
        with pytest.raises(ValueError, match=f"value: expected .* for {metric}, found {value}"):
            check_value(metric, value)


def test_two_rows_of_one_key_are_refused():
    with pytest.raises(InputError, match="2 rows have the same .*MLP 784-512-256-10"):
        build([metrics_row(), metrics_row(values=[0.7])], [])


def test_rows_are_sorted_by_what_they_are_of_and_ties_by_being_ordinary():
    rows = [
        of_this_run(task="b"),
        of_this_run(task="a", dataset="y"),
        of_this_run(task="a", dataset="x", metric="exact_match"),
        of_this_run(task="a", dataset="x", split="val"),
        of_this_run(task="a", dataset="x", model="one", views="flips"),
        of_this_run(task="a", dataset="x", model="two"),
        of_this_run(task="a", dataset="x", model="three"),
    ]
    found = [[row[name] for name in KEY] for row in build(rows, [])]
    assert found == [[rows[at][name] for name in KEY] for at in (6, 5, 4, 3, 2, 1, 0)]


def test_a_panel_shows_the_first_split_with_a_row_of_ours():
    def of(dataset, split, source="this run", metric="accuracy"):
        return {"dataset": dataset, "metric": metric, "split": split, "source": source}

    rows = [
        *[of("a", split) for split in ("train", "cv", "val", "test")],
        of("a", "test", "a paper"),
        of("a", "val", "a paper"),
        *[of("b", split) for split in ("train", "cv", "val")],
        of("b", "test", "a paper"),
        *[of("c", split) for split in ("train", "cv")],
        of("c", "cv", metric="mcc"),
        of("c", "cv", metric="roc_auc"),  # not drawn: the curve is
        of("d", "test", "a paper"),
        of("e", "train"),
    ]
    assert panels(rows) == [
        [of("a", "test"), of("a", "test", "a paper")],
        [of("b", "val")],
        [of("c", "cv")],
        [of("c", "cv", metric="mcc")],
    ]


def test_numbers_have_the_digits_of_their_metric():
    found = {name: number(name, 1 / 3) for name in METRICS}
    assert {name for name, text in found.items() if text == "0.3333"} == {
        "accuracy", "token_accuracy", "exact_match", "accepted_share",
        "roc_auc", "average_precision", "calibration_error",
    }  # fmt: skip
    assert found["mcc"] == "0.33"
    assert found["nats_per_token"] == found["bits_per_byte"] == "0.333"
    assert number("accuracy", None) == "" and number("accuracy", 0.0) == "0.0000"


def test_a_published_row_has_its_citation_and_nothing_of_ours():
    result = {"task": "t", "dataset": "d", "model": "m", "metric": "accuracy", "split": "test"}
    result |= {"value": 0.5, "source": "paper", "comment": "not a column"}
    (row,) = published_rows({"paper": {"citation": "A 2020"}}, [result], ["d"])
    assert tuple(row) == COLUMNS and row["source"] == "A 2020"
    assert {name for name in COLUMNS if row[name] is None} == set(COLUMNS) - set(result)


@pytest.mark.parametrize("apart", [{"inputs": "HOG"}, *ASIDE])
def test_rows_of_one_model_are_told_apart_by_their_columns(apart):
    rows = [metrics_row(), metrics_row(**apart)]
    assert len(build(rows, [])) == 2
    assert [ordinary(row) for row in rows] == [True, apart not in ASIDE]


def test_numbers_and_texts_survive_the_file(tmp_path):
    row = metrics_row(model="NA", values=[0.1 + 0.2, 0.7], ci=None, train_flops=1.234567890123e17)
    row = {column: row.get(column) for column in COLUMNS}
    write_csv(tmp_path / "leaderboard.csv", [row], COLUMNS)
    (found,) = read_leaderboard(tmp_path / "leaderboard.csv")
    assert found == row
    types = {name: type(value) for name, value in found.items() if value is not None}
    assert types == {name: type(value) for name, value in row.items() if value is not None}


@pytest.mark.parametrize(
    ("metric", "values", "wanted"),
    [
        *[
            (name, (0.7, 0.9, 0.8), (0.9, 0.8, 0.7))
            for name in METRICS
            if name not in LESS_IS_BETTER
        ],
        *[(name, (1.0, 0.5), (0.5, 1.0)) for name in LESS_IS_BETTER],
    ],
)
def test_the_best_value_comes_first(metric, values, wanted):
    rows = [
        metrics_row(metric=metric, values=[value], ci=None, model=f"net {place}")
        for place, value in enumerate(values)
    ]
    assert tuple(row["value"] for row in build(rows, [])) == wanted


def test_references_name_known_data_sets_metrics_and_sources(repository, references):
    table = yaml.safe_load((repository / "config" / "datasets.yaml").read_text())
    sources, results = read_references(references)
    for result in results:
        assert result["metric"] in METRICS
        if result["dataset"] is not None:
            assert table[result["dataset"]]["task"] == result["task"]
            assert "stands_in_for" not in table[result["dataset"]]
    assert {result["source"] for result in results} == set(sources)


def test_a_published_value_beyond_its_metric_is_named(tmp_path, references):
    table = yaml.safe_load(references.read_text())
    table["results"][0]["value"] = 101.0
    path = tmp_path / "references.yaml"
    path.write_text(yaml.safe_dump(table))
    with pytest.raises(InputError, match="references.yaml: .*: value: expected"):
        read_references(path)


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_the_terminal_shows_the_table_and_ends_with_the_report(
    finished, width, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(finished.parents[1])
    monkeypatch.setenv("COLUMNS", width)
    print_leaderboard.show(Path("results/made-up"))
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert lines[-1].endswith("results/made-up/report.html")
    assert max(map(len, lines)) <= int(width)
    assert "0.9016" in text and "0.9670" in text and "77.75" in text
    assert "logistic regression" in text and "0.8440" in text


def printed(finished, monkeypatch, capsys, width="160"):
    monkeypatch.chdir(finished.parents[1])
    monkeypatch.setenv("COLUMNS", width)
    print_leaderboard.show(Path("results/made-up"))
    return capsys.readouterr().out.splitlines()


def test_training_validation_and_test_are_three_columns_of_the_terminal(
    finished, monkeypatch, capsys
):
    lines = printed(finished, monkeypatch, capsys)
    head = next(line for line in lines if "validation" in line)
    row = next(line for line in lines if "  Mixer" in line)
    for name, value in (
        ("training", "0.9910 ± 0.0010"),
        ("validation", "0.9350 ± 0.0071"),
        ("test", "0.9416 ± 0.0017"),
    ):
        assert head.index(f"{name} ") == row.index(value), name


def test_the_terminal_shows_single_models_and_the_best_published_that_compares(
    finished, monkeypatch, capsys
):
    lines = printed(finished, monkeypatch, capsys)
    assert not [line for line in lines if "ensemble" in line or "+ flips" in line]
    headings = [line for line in lines if re.match(r"\S.*: (accuracy|MCC|bits|nats|exact)", line)]
    datasets = [heading.split(": ")[0] for heading in headings]
    assert len(datasets) == len(set(datasets)), "one metric per data set"
    fashion = datasets.index("Fashion-MNIST")
    here = lines[lines.index(headings[fashion]) : lines.index(headings[fashion + 1])]
    assert [line.split("  ")[1] for line in here if "(published)" in line] == [
        "WRN-40-4 (published)"
    ]
    assert "All rows: results/made-up/leaderboard.csv" in lines


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error(finished, repository, tmp_path):
    done = subprocess.run(
        [
            "bash",
            "-o",
            "pipefail",
            "-c",
            f"'{sys.executable}' -m reporting.print_leaderboard results/made-up | :",
        ],
        cwd=finished.parents[1],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_leaderboard_and_a_metrics_json_without_kernels_are_still_read(tmp_path):
    row = metrics_row()
    del row["kernels"]
    board = tmp_path / "leaderboard.csv"
    old = [name for name in COLUMNS if name != "kernels"]
    write_csv(board, [{**dict.fromkeys(old), **row}], old)
    (found,) = read_leaderboard(board)
    assert tuple(found) == COLUMNS and found["kernels"] is None
    (tmp_path / "metrics.json").write_text(json.dumps({"rows": [row]}))
    assert read_metrics(tmp_path / "metrics.json")[0]["kernels"] is None


def test_the_leaderboard_of_other_columns_is_refused(tmp_path):
    path = tmp_path / "leaderboard.csv"
    path.write_text(",".join(COLUMNS[:-1]) + "\n")
    with pytest.raises(InputError, match="columns"):
        read_leaderboard(path)
