"""Successive halving as the report tells it: the rungs' files, the figure, broken input."""

import json
import re

import pytest
from fabricated_run import ranking
from finished_run import call

from pipeline.atomic import write_json
from reporting import plot_race, plots
from reporting.race import label, paths, searches, shown


@pytest.fixture
def files(tmp_path):
    names = {f"c{k:02d}": {"lr": 0.001 * (k + 1)} for k in range(9)}
    for rung, epochs, taken, left in ((0, 3, 9, 3), (1, 9, 3, 1)):
        kept = dict(list(names.items())[-taken:])
        write_json(tmp_path / f"rung{rung}" / "ranking.json", ranking(rung, epochs, kept, left))
    return [tmp_path / f"rung{rung}" / "ranking.json" for rung in (0, 1)]


@pytest.fixture
def rungs(files):
    return [json.loads(path.read_text()) for path in files]


def test_a_line_ends_where_its_candidate_did(rungs):
    routes = paths(rungs)
    assert {name for name, route in routes.items() if len(route) == 2} == {"c06", "c07", "c08"}
    assert routes["c08"] == [(3, pytest.approx(0.916)), (9, pytest.approx(0.919))]
    assert "c00" not in routes  # It diverged.


def test_the_tables_of_the_rungs_and_of_the_last_candidates(finished):
    text = (finished.folder / "report.html").read_text()
    section = text.split("<h3>The search: successive halving</h3>")[1].split("<h3>")[0]
    lines = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", section, re.S)
    ]
    assert [cells for cells in lines if cells] == [
        ["1", "9", "1", "3", "68", "1", "0.9160", "c08", "3"],
        ["2", "3", "1", "9", "68", "", "0.9190", "c08", "1"],
        ["c08", "0.9190", "hidden 512-256, lr 0.009", "selected"],
        ["c07", "0.9170", "hidden 512-256, lr 0.008", ""],
        ["c06", "0.9150", "hidden 512-256, lr 0.007", ""],
    ]


def test_a_rung_tells_its_folds(rungs):
    rungs[1]["folds"] = [0, 2, 4]
    assert [shown(rung)["folds"] for rung in rungs] == [1, 3]
    figure = plot_race.plot(rungs, "a title", plots.Look())
    told = [text.get_text() for text in figure.axes[0].texts]
    assert any("3 candidates × 3 folds × 9 epochs" in text for text in told)
    assert any("9 candidates × 3 epochs" in text for text in told)


def test_the_figure_takes_the_rungs_in_any_order(files, tmp_path, monkeypatch):
    spec = {"names": ["race.svg"], "titles": ["a search"], "groups": [0, 0]}
    for name, rankings in (("a", files), ("b", files[::-1])):
        call(monkeypatch, plot_race, spec, rankings=rankings, figures=tmp_path / name)
    drawn = [(tmp_path / name / "race.svg").read_bytes() for name in "ab"]
    assert drawn[0] == drawn[1]


def test_rungs_of_two_searches_are_kept_apart(rungs):
    assert [len(search) for search in searches([*rungs, *rungs, rungs[0]])] == [2, 2, 1]


def test_settings_as_people_read_them():
    settings = {"hidden": [1024, 512], "lr": 0.0019999, "flips": True, "ema_decay": None}
    assert label(settings) == "hidden 1024-512, lr 0.002, flips yes, average none"


def test_one_lost_candidate_does_not_squeeze_the_others(rungs):
    rungs[0]["candidates"][-2]["accuracy"] = 0.1
    plots.start(72)
    assert plot_race.lowest(rungs[0]) > 0.85
    figure = plot_race.plot(rungs[:1], "a search", plots.Look())
    assert "1 below" in [text.get_text() for text in figure.axes[0].texts]
    low, high = figure.axes[0].get_ylim()
    assert all(
        low <= y <= high for path in figure.axes[0].collections for _, y in path.get_offsets()
    )


def test_what_an_mlp_does_not_read_is_not_told():
    settings = {"architecture": "mlp", "channels": 64, "margin": 2, "lr": 0.002}
    assert label(settings) == "architecture mlp, lr 0.002"
    assert "channels 64" in label(settings | {"architecture": "mixer"})
