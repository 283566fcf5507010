"""make why: what a dry run prints, in plain words."""

import json

import why

TABLE = """Job stats:
job          count
---------  -------
train_dna        2
all              1
total            3

"""


def job(rule, reason):
    return f"rule {rule}:\n    input: a\n    output: b\n    reason: {reason}\n    jobid: 1\n"


def changed(before, now):
    head = "Params have changed since last execution: Union of exclusive params before and now"
    before, now = (f"'{json.dumps(side)}', ['--hog', 'x']" for side in (before, now))
    return f"{head} across all output: before: {before} now: {now} "


def test_each_rule_has_its_jobs_and_reasons():
    settings = {"lr": 0.1, "code": "a", "model": {"width": 8, "note": "now: or; Then"}}
    both = changed(settings, {"lr": 0.2, "code": "b", "model": {"width": 9, "note": "x"}})
    shown = (
        job("train_dna", both + "; Input files updated by another job: c, d")
        + job("train_dna", both + "; Input files updated by another job: c, d")
        + job("draw_figures", "Missing output files: e; Updated input files: f.json, g.json")
        + job("fetch", "A reason: of a later version")
        + job("all", "Input files updated by another job: e")
        + TABLE
    )
    assert why.report(shown).splitlines()[2:6] == [
        'train_dna (2 jobs): settings changed: lr 0.1 -> 0.2, model.note "now: or; Then" -> "x",'
        " model.width 8 -> 9; its code changed; what it reads is made again",
        "draw_figures (1 job): no result yet; changed since then: f.json, g.json",
        "fetch (1 job): A reason: of a later version",
        "",
    ]
    assert "train_dna        2" in why.report(shown)


def test_code_alone_and_params_that_no_one_can_read():
    shown = job("a", changed({"lr": 1, "code": "a"}, {"lr": 1, "code": "b"})) + job(
        "b", "Params have changed since last execution: before: <object> now: <other>"
    )
    assert why.report(shown + TABLE).splitlines()[2:4] == [
        "a (1 job): its code changed",
        "b (1 job): its settings changed",
    ]


def test_nothing_to_do():
    assert why.report("Nothing to be done.").startswith("Nothing to be done")
