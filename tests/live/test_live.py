"""`--logger live`: what a person sees of a run, on a terminal and elsewhere."""

import io
import json
import logging
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest
from harness import SNAKEMAKE
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.tests import MockOutputSettings

from snakemake_logger_plugin_live import LogHandler, board
from snakemake_logger_plugin_live.screen import Screen


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quiet_settings():
    asked = MockOutputSettings()
    asked.printshellcmds = False
    return asked


class Terminal(io.StringIO):
    """Says that it is one, of 80 columns: it has no file number that could be asked."""

    def isatty(self):
        return True


@pytest.fixture
def start(here, monkeypatch):
    """start(stream): a handler that writes to `stream`, a pipe or a terminal."""
    made = []
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("RUN_FOLDER", "results/x")

    def begin(stream, **asked):
        monkeypatch.setattr(sys, "stderr", stream)
        settings = quiet_settings()
        vars(settings).update(asked)
        made.append(LogHandler(settings, None))
        made[-1].shown = stream
        return made[-1]

    yield begin
    for each in made:
        each.close()


@pytest.fixture
def handler(start):
    return start(io.StringIO())


def send(handler, message=None, level=logging.INFO, **told):
    record = logging.LogRecord("snakemake", level, "x.py", 1, message, None, None)
    vars(record).update(told)
    handler.emit(record)


def begin(handler, number, rule="train_gpt", log=None, output="results/x/model", **wildcards):
    told = {"rule_name": rule, "wildcards": wildcards, "output": [output], "log": [log] * bool(log)}
    send(handler, event=LogEvent.JOB_INFO, jobid=number, **told)


def job(handler, number, rule, seconds, **wildcards):
    """A job that took `seconds`, from its start to its end."""
    begin(handler, number, rule, **wildcards)
    handler.board._running[number].began -= seconds
    send(handler, event=LogEvent.JOB_FINISHED, job_id=number)


def test_in_a_pipe_a_rule_has_one_line_and_a_long_job_its_own(handler):
    stats = {"train_gpt": 1, "train_mlp": 2, "cross_validate": 3, "all": 1, "total": 7}
    send(handler, event=LogEvent.RUN_INFO, stats=stats)
    for number in range(3):
        job(handler, number, "cross_validate", 2 + number, fold=str(number))
    job(handler, 3, "train_mlp", 44, seed="1")
    job(handler, 4, "train_mlp", 4, seed="2")
    job(handler, 5, "train_gpt", 176, dataset="stories", seed="1")
    send(handler, "Building DAG of jobs...")
    send(handler, "Complete log(s): here.log")
    assert handler.shown.getvalue().splitlines() == [
        "6 jobs to do",
        "[3/6] cross_validate: 3 jobs of 2 s to 4 s",
        "[4/6] train_mlp seed 1: 44 s",
        "[5/6] train_mlp seed 2: 4 s",
        "[6/6] train_gpt stories, seed 1: 2 min 56 s",
        "Complete log(s): here.log",
    ]


def test_jobs_without_a_line_get_it_when_the_run_ends_early(handler):
    send(handler, event=LogEvent.RUN_INFO, stats={"train_mlp": 3, "total": 3})
    job(handler, 1, "train_mlp", 1, seed="1")
    job(handler, 2, "train_mlp", 2, seed="2")
    handler.close()
    lines = handler.shown.getvalue().splitlines()
    assert lines[1:] == ["[2/3] train_mlp: 2 jobs of 1 s to 2 s", "2 of 3 jobs in 0 s"]


def test_the_lines_of_a_long_run_in_a_pipe_are_bounded(handler):
    """However slow the machine: its jobs may all be long, and signs grow rarer."""
    state = handler.board
    signs, now = 0, 0.0
    while now < 3600:
        state.began = time.monotonic() - now
        now += state.patience
        signs += 1
    assert signs < 40


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


def test_what_is_wrong_before_any_job_is_said_without_the_place_in_the_rules(handler):
    place = 'WorkflowError in file "/x/common.smk", line 38:\n{}\n  File "/x", line 38, in <module>'
    told = "config: run: missing\nconfig: gpt: missing"
    send(handler, place.format(told), logging.ERROR, event=LogEvent.ERROR)
    assert handler.shown.getvalue() == told + "\n"


def progress(folder, **told):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / board.PROGRESS).write_text(json.dumps(told))


def test_a_running_job_tells_its_progress(handler, here):
    begin(handler, 1, output="results/gpt/model", dataset="stories")
    running = handler.board.running()[0]
    assert running.status() == "train_gpt stories (0 s)"
    progress(here / "results/gpt", step=400, steps=1600, loss=1.23456, seconds_left=130.2)
    assert running.status() == "train_gpt stories (step 400/1600, loss 1.235, 2 min 10 s left)"
    told = here / "results/gpt" / board.PROGRESS
    running.began -= 60
    os.utime(told, (time.time() - 30, time.time() - 30))
    assert running.left(None) == pytest.approx(100, abs=1), "half a minute has passed since"
    os.utime(told, (1, 1))
    assert running.status() == "train_gpt stories (1 min 0 s)", "an earlier job says nothing"
    told.write_text("{")
    assert running.status() == "train_gpt stories (1 min 0 s)"


def test_the_rest_is_estimated_from_this_run_and_the_last(handler, monkeypatch):
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
    for run, usual in (("results/x", 60), ("results/standard", None)):
        monkeypatch.setenv("RUN_FOLDER", run)
        again = board.Board()
        again.plan({"train": 1, "total": 1})
        assert again.usual("train") == usual, "another run's trainings are of another length"


@pytest.mark.parametrize("size", [(40, 8), (60, 24), (80, 24), (120, 40)])
def test_the_live_lines_fit_the_screen_and_line_up(start, here, monkeypatch, size):
    handler = start(Terminal())
    monkeypatch.setattr(handler.screen, "size", lambda: size)
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 30, "total": 30})
    begin(handler, 99, output="results/gpt/model", dataset="stories", seed="1")
    for number in range(30):
        begin(handler, number, dataset="a_data_set_with_quite_a_long_name", seed=str(number))
    progress(here / "results/gpt", step=400, steps=1600, loss=1.23456, seconds_left=130.2)
    lines = handler.live_lines()
    assert len(lines) <= size[1] // 2 and max(map(len, lines)) < size[0]
    assert lines[0].startswith("0 of 30 jobs done in 0 s")
    assert lines[1].startswith("  train_gp") and lines[1].endswith("  2 min 10 s left")
    assert ("train_gpt stories, seed 1" in lines[1]) == (size[0] >= 60)
    assert ("loss" in lines[1]) == (size[0] >= 80)
    assert lines[2].startswith("  train_gpt a") and ", seed 0  " in lines[2]
    assert (" a_data_set_with_quite_a_long_name" in lines[2]) == (size[0] >= 60)
    assert len({len(line) for line in lines[1:-1]}) == 1 and lines[-1].endswith(" more")


def test_a_terminal_of_a_few_columns_gets_what_fits(start, here, monkeypatch):
    handler = start(Terminal())
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 2, "total": 2})
    begin(handler, 1, output="results/gpt/model", dataset="stories", seed="1")
    begin(handler, 2)
    progress(here / "results/gpt", step=400, steps=1600, loss=1.23456, seconds_left=130.2)
    for columns in range(1, 40):
        monkeypatch.setattr(handler.screen, "size", lambda columns=columns: (columns, 8))
        assert max(map(len, handler.live_lines())) < columns


def test_a_run_goes_on_where_standard_error_is_closed(start):
    job(start(None), 1, "train_gpt", 2)


def screen_of(text):
    """What a terminal shows after `text`: lines, for the few codes that Screen uses."""
    rows, row, at = [""], 0, 0
    for part in re.findall(r"\033\[[0-9;]*[A-Za-z]|[\n\r]|[^\033\n\r]+", text):
        if part in ("\n", "\r"):
            row, at = row + (part == "\n"), 0
            rows += [""] * (row == len(rows))
        elif part.endswith("A") and part.startswith("\033"):
            row = max(0, row - int(part[2:-1]))
        elif part == "\033[2K":
            rows[row] = ""
        elif part == "\033[J":
            rows[row:] = [rows[row][:at]]
        elif not part.startswith("\033"):
            rows[row] = rows[row][:at] + part + rows[row][at + len(part) :]
            at += len(part)
    return rows


def test_on_a_terminal_finished_jobs_stay_above_the_live_lines(start):
    handler = start(Terminal())
    handler.draw()
    assert screen_of(handler.shown.getvalue())[0] == "Finding out what is to be done ..."
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 3, "total": 3})
    begin(handler, 8, seed="8")
    for number in range(2):
        job(handler, number, "train_gpt", 5, seed=str(number))
    rows = screen_of(handler.shown.getvalue())
    assert rows[:2] == ["[1/3] train_gpt seed 0: 5 s", "[2/3] train_gpt seed 1: 5 s"]
    assert rows[2].startswith("2 of 3 jobs done in 0 s") and rows[3].startswith(
        "  train_gpt seed 8"
    )
    handler.shown.write("^C")
    handler.close()
    rows = screen_of(handler.shown.getvalue())
    assert rows[2:] == ["2 of 3 jobs in 0 s", ""], "no live line is left behind"


def test_a_narrower_terminal_leaves_no_lines_behind(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen(Terminal(), colours=False)
    screen.change(["x" * 70, "y" * 70])
    monkeypatch.setattr(screen, "size", lambda: (40, 24))
    screen.print("done")
    told = screen.stream.getvalue()
    assert "\r\033[4A\033[2Kdone" in told, "two lines of 70 letters are now four"


@pytest.mark.parametrize(
    ("names", "live", "colours"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": ""}, False, False),
    ],
)
def test_what_the_terminal_can_is_respected(start, monkeypatch, names, live, colours):
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    # `start` has set TERM, so that names come after it.
    screen = start(Terminal()).screen
    assert (screen.live, screen.colours) == (live, colours)


def test_without_a_terminal_silence_is_broken(handler):
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 2, "total": 2})
    begin(handler, 1, dataset="stories")
    begin(handler, 2, dataset="plays")
    handler.last_line -= 31
    shown = handler.shown
    deadline = time.monotonic() + 10
    while "..." not in shown.getvalue() and time.monotonic() < deadline:
        time.sleep(0.1)
    sign = shown.getvalue().splitlines()[-1]
    told = r"... 0 of 2 jobs done in \d s; train_gpt stories \(\d s\), train_gpt plays \(\d s\)"
    assert re.fullmatch(told, sign)
    assert time.monotonic() - handler.last_line < 10


def test_a_run_that_is_stopped_says_what_is_kept_and_no_job_failed(handler):
    send(handler, event=LogEvent.RUN_INFO, stats={"train_gpt": 2, "total": 2})
    job(handler, 1, "train_gpt", 1, dataset="plays")
    begin(handler, 2, dataset="stories")
    send(handler, "Terminating processes on user request, this might take some time.")
    send(handler, "Error", logging.ERROR, event=LogEvent.JOB_ERROR, jobid=2)
    handler.close()
    shown = handler.shown.getvalue()
    assert "failed" not in shown and "Error" not in shown
    assert shown.splitlines()[-1].startswith("Stopped after 0 s: 1 of 2 jobs are done. What is")


@pytest.mark.parametrize("option", ["verbose", "dryrun", "printshellcmds", "debug_dag", "quiet"])
def test_snakemakes_own_words_come_back(here, monkeypatch, option):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    asked = quiet_settings()
    setattr(asked, option, {Quietness.RULES} if option == "quiet" else True)
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
    assert lines[0] == "3 jobs to do" and lines[1].startswith("[3/3] make: 3 jobs of ")
    assert lines[2].startswith("Complete log(s): ") and lines[3].startswith("3 of 3 jobs in ")
    assert subprocess.run(words, capture_output=True, text=True).stderr.startswith("Nothing to be")


def test_a_real_run_that_fails_in_a_pipe(here):
    words = run(here, "echo error: no luck > {log}; exit 3")
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "failed: make n" in done.stderr and "    error: no luck\n" in done.stderr
    assert re.search(r"^0 of 3 jobs in \d+ s, \d failed. What is done is kept", done.stderr, re.M)
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
