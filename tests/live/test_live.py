"""`--logger live`: what a person sees of a run, on a terminal and elsewhere."""

import io
import json
import logging
import os
import pty
import select
import subprocess
import sys
import time

import pytest
from harness import SNAKEMAKE
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.tests import MockOutputSettings

from snakemake_logger_plugin_live import LogHandler, board


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quiet_settings():
    asked = MockOutputSettings()
    asked.printshellcmds = False
    return asked


@pytest.fixture
def handler(here, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    made = LogHandler(quiet_settings(), None)
    made.shown = shown
    yield made
    made.close()


def send(handler, message=None, level=logging.INFO, **told):
    record = logging.LogRecord("snakemake", level, "x.py", 1, message, None, None)
    vars(record).update(told)
    handler.emit(record)


def begin(handler, number, rule="train_gpt", log=None, output="results/x/model", **wildcards):
    told = {"rule_name": rule, "wildcards": wildcards, "output": [output], "log": [log] * bool(log)}
    send(handler, event=LogEvent.JOB_INFO, jobid=number, **told)


def test_one_line_per_job_and_short_ones_of_a_rule_together(handler):
    stats = {"train_gpt": 2, "cross_validate": 3, "all": 1, "total": 6}
    send(handler, event=LogEvent.RUN_INFO, stats=stats)
    for number in range(3):
        begin(handler, number, "cross_validate", fold=str(number))
        send(handler, event=LogEvent.JOB_FINISHED, job_id=number)
    begin(handler, 7, dataset="stories", seed="1")
    handler.board._running[7].began -= 176
    send(handler, event=LogEvent.JOB_FINISHED, job_id=7)
    send(handler, "Building DAG of jobs...")
    send(handler, "Complete log(s): here.log")
    assert handler.shown.getvalue().splitlines() == [
        "5 jobs to do",
        "[3/5] cross_validate: 3 jobs of less than 5 s",
        "[4/5] train_gpt stories, seed 1: 2 min 56 s",
        "Complete log(s): here.log",
    ]


def test_a_failed_job_shows_its_last_lines_and_its_log(handler, here):
    (here / "a.log").write_text("".join(f"line {n}\n\n" for n in range(9)) + "error: lr\n")
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 1, "total": 1})
    begin(handler, 1, log="a.log", dataset="stories")
    send(handler, "RuleException:\nCalledProcessError in ...", logging.ERROR, event=LogEvent.ERROR)
    send(handler, "Error", logging.ERROR, event=LogEvent.JOB_ERROR, jobid=1)
    lines = handler.shown.getvalue().splitlines()
    assert lines[1] == "failed: train_gpt stories, after 0 s"
    assert lines[2:] == [f"    line {n}" for n in range(5, 9)] + [
        "    error: lr",
        "    its log: a.log",
    ]


def test_what_is_wrong_before_any_job_is_said(handler):
    send(handler, "config: run: missing", logging.ERROR, event=LogEvent.ERROR)
    assert handler.shown.getvalue() == "config: run: missing\n"


def progress(folder, **told):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / board.PROGRESS).write_text(json.dumps(told))


def test_a_running_job_tells_its_progress(handler, here):
    begin(handler, 1, output="results/gpt/model", dataset="stories")
    job = handler.board.running()[0]
    assert job.status() == "train_gpt stories: 0 s"
    progress(here / "results/gpt", step=400, steps=1600, loss=1.23456, seconds_left=130.2)
    assert job.status() == "train_gpt stories: step 400 of 1600, loss 1.235, 2 min 10 s left"
    os.utime(here / "results/gpt" / board.PROGRESS, (1, 1))
    assert job.status() == "train_gpt stories: 0 s", "what an earlier job left says nothing"
    (here / "results/gpt" / board.PROGRESS).write_text("{")
    assert job.status() == "train_gpt stories: 0 s"


def test_the_rest_is_estimated_from_this_run_and_the_last(handler, here):
    state = handler.board
    state.plan({"train": 3, "plot": 2, "total": 5})
    assert state.seconds_left() is None
    state.finished = {"train": [60.0], "plot": [2.0]}
    begin(handler, 1, "train")
    state._running[1].began -= 20
    assert state.seconds_left() == pytest.approx(40 + 60 + 2, abs=1)
    begin(handler, 2, "train", output="results/b/model")
    assert state.seconds_left() == pytest.approx(60, abs=1), "two at once; none before the longest"
    state.remember()
    assert board.Board().usual("train") == 60


def test_the_live_lines_fit_the_screen(handler):
    handler.console.size = (40, 8)
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 30, "total": 30})
    for number in range(30):
        begin(handler, number, dataset="a_data_set_with_quite_a_long_name", seed=str(number))
    lines = handler.render().plain.splitlines()
    assert len(lines) <= 7 and max(map(len, lines)) < 40
    assert lines[-1] == "  and 25 more"


def test_without_a_terminal_a_long_job_gives_a_sign(handler):
    begin(handler, 1, dataset="stories")
    job = handler.board.running()[0]
    job.began -= 31
    job.last_sign -= 31
    deadline = time.monotonic() + 10
    while not handler.shown.getvalue() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert handler.shown.getvalue().startswith("  ... train_gpt stories: 3")
    assert job.silent_for() < 10


@pytest.mark.parametrize("option", ["verbose", "dryrun", "printshellcmds", "debug_dag"])
def test_snakemakes_own_words_come_back(here, monkeypatch, option):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    asked = quiet_settings()
    setattr(asked, option, True)
    handler = LogHandler(asked, None)
    send(handler, "Building DAG of jobs...")
    handler.close()
    assert shown.getvalue() == "Building DAG of jobs...\n"


SNAKEFILE = """
rule all:
    input: expand("{n}.txt", n=range(3))
rule make:
    output: "{n}.txt"
    log: "{n}.log"
    shell: "{COMMAND}"
"""


def run(folder, command, words=()):
    (folder / "Snakefile").write_text(SNAKEFILE.replace("{COMMAND}", command))
    words = [SNAKEMAKE, "--cores", "2", "--logger", "live", *words]
    return [str(word) for word in words]


def test_a_real_run_in_a_pipe(here):
    words = run(here, "echo hello > {output}")
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines[:2] == ["3 jobs to do", "[3/3] make: 3 jobs of less than 5 s"]
    assert lines[2].startswith("Complete log(s): ") and lines[3].startswith("3 jobs in ")
    assert subprocess.run(words, capture_output=True, text=True).stderr.startswith("Nothing to be")


def test_a_real_run_that_fails_in_a_pipe(here):
    words = run(here, "echo error: no luck > {log}; exit 3")
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "failed: make n" in done.stderr and "    error: no luck\n" in done.stderr
    assert done.stderr.count("CalledProcessError") == 0 and len(done.stderr.splitlines()) < 20


def test_a_real_run_on_a_terminal(here):
    words = run(here, "sleep 1; echo hello > {output}")
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        words, stdout=writer, stderr=writer, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    )
    os.close(writer)
    shown = b""
    while select.select([reader], [], [], 60)[0]:
        try:
            part = os.read(reader, 10_000)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    text = shown.decode()
    assert "of 3 jobs done" in text and "make n 0" in text
    assert "[3/3] make n" in text
