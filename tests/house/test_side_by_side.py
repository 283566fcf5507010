"""How the benchmarks compare our code with a peer's."""

import csv
import gc

import pytest
import side_by_side
from side_by_side import COLUMNS, Case, calls_per_block, figures, main, throughputs


class Machine:
    """A clock on which each call takes the time that it names, and what was called when."""

    def __init__(self, monkeypatch):
        self.now, self.speed, self.called = 0.0, 1.0, []
        monkeypatch.setattr(side_by_side.time, "process_time", lambda: self.now)

    def call(self, name, seconds):
        def work():
            self.called.append((name, gc.isenabled()))
            self.now += seconds / self.speed

        return work

    def case(self, ours=0.01, theirs=0.02, **more):
        calls = self.call("ours", ours), self.call("theirs", theirs)
        return Case("a step", "a peer", *calls, amount=50, unit="examples", **more)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


def test_the_ratio_is_our_throughput_over_the_peer_s(machine):
    found = figures(machine.case())
    assert found == {
        "work": "a step", "peer": "a peer", "unit": "examples/s",
        "ours": 5000, "theirs": 2500, "ratio": 2,
    }  # fmt: skip
    assert figures(machine.case(their_amount=200))["ratio"] == 0.5


def test_a_block_is_long_enough_and_the_first_call_does_not_count(machine):
    assert calls_per_block(machine.call("short", 0.01)) == 32
    assert calls_per_block(machine.call("long", 3)) == 1
    assert [name for name, _ in machine.called].count("long") == 2


def test_blocks_alternate_in_the_other_order_each_time_without_garbage_collection(machine):
    throughputs(machine.case(ours=1, theirs=1), blocks=3)
    warmed_up, measured = machine.called[:4], machine.called[4:]
    assert all(collected for _, collected in warmed_up)
    order = ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert measured == [(name, False) for name in order]
    assert gc.isenabled()


def test_one_disturbed_block_changes_no_figure(machine):
    case = machine.case(ours=1, theirs=1)
    slow, calls = case.ours, []

    def disturbed():
        calls.append(1)
        machine.speed = 0.1 if len(calls) == 4 else 1
        slow()

    found = figures(Case("a step", "a peer", disturbed, case.theirs, 50, "examples"))
    assert (found["ours"], found["theirs"], found["ratio"]) == (50, 50, 1)


def test_the_table_says_where_it_was_measured(machine, monkeypatch, tmp_path, capsys):
    out = tmp_path / "new" / "speed.csv"
    monkeypatch.setattr("sys.argv", ["speed.py", "--out", str(out)])
    main("A benchmark.", lambda: iter([machine.case(), machine.case()]), ("numpy",))
    with out.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2 and tuple(rows[0]) == COLUMNS and all(rows[0].values())
    assert rows[0]["threads"] == "1" and "numpy" in rows[0]["versions"]
    assert "ratio 2.0" in capsys.readouterr().out
