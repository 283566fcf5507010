"""Successive halving as the report tells it: the rungs' files, the figure, broken input."""

import json
import re

import pytest
from fabricated_run import ranking

from pipeline.atomic import write_json
from reporting import record_charts
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
    section = text.split("The search for its recipe: successive halving, ")[1].split("</details>")[
        0
    ]
    assert section.startswith("9 candidates × 3 epochs, 3 candidates × 9 epochs</summary>")
    lines = [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
        for row in re.findall(r"<tr>.*?</tr>", section, re.S)
    ]
    assert lines[1:] == [
        ["1", "9", "1", "3", "68", "1", "0.9160", "c08", "3"],
        ["2", "3", "1", "9", "68", "", "0.9190", "c08", "1"],
    ]
    assert "<dt>c08</dt><dd>0.9190, selected: hidden 512-256, lr 0.009</dd>" in section
    assert "<dt>c06</dt><dd>0.9150: hidden 512-256, lr 0.007</dd>" in section


def test_a_rung_tells_its_folds(rungs):
    rungs[1]["folds"] = [0, 2, 4]
    assert [shown(rung)["folds"] for rung in rungs] == [1, 3]


def test_one_lost_candidate_does_not_squeeze_the_others(rungs):
    rungs[0]["candidates"][-2]["accuracy"] = 0.1
    drawn = record_charts.race_of(*searches(rungs), "a search")
    assert "winner: c08: 0.919 at 9" in drawn
    assert not re.search(r">0\.[1-8]\d*</text>", drawn)


def test_rungs_of_two_searches_are_kept_apart(rungs):
    assert [len(search) for search in searches([*rungs, *rungs, rungs[0]])] == [2, 2, 1]


def test_settings_as_people_read_them():
    settings = {"hidden": [1024, 512], "lr": 0.0019999, "flips": True, "ema_decay": None}
    assert label(settings) == "hidden 1024-512, lr 0.002, flips yes, average none"


def test_what_an_mlp_does_not_read_is_not_told():
    settings = {"architecture": "mlp", "channels": 64, "margin": 2, "lr": 0.002}
    assert label(settings) == "architecture mlp, lr 0.002"
    assert "channels 64" in label(settings | {"architecture": "mixer"})
