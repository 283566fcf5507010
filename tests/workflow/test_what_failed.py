"""make run ends with a line for each job that failed: its rule, why, and where its log is."""

import contextlib
import io
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import what_failed
from harness import SNAKEMAKE

SNAKEFILE = r"""
rule all:
    input: "a.txt", "b/one.txt", "b/two.txt", "c.txt", "d.txt", "e.txt"

rule a:
    output: "a.txt"
    log: "logs/a.log"
    shell: "printf 'error: first\nerror: the file is broken\nbye\n' > {log}; exit 3"

rule b:
    output: "b/{x}.txt"
    log: "logs/b_{x}.log"
    shell: "printf 'x\nValueError: no luck\n\n' > {log}; test {wildcards.x} = two; touch {output}"

rule c:
    output: "c.txt"
    shell: "false"

rule d:
    output: "d.txt"
    log: "logs/d.log"
    shell: "echo wrote nothing > {log}"

rule e:
    output: "e.txt"
    log: "logs/e.log"
    retries: 1
    shell: "echo 'error: once' > {log}; test -e once || {{ touch once; false; }}; touch {output}"
"""
# What Snakemake 9.27 wrote when b of the group a, b, c failed on a cluster, shortened.
GROUP = """\
[Sat Nov 28 05:13:36 2026] Group job g (jobs in lexicogr. order):
    [Sat Nov 28 05:13:36 2026]
    rule a:
        output: a.txt
        log: logs/a.log
        jobid: 3
        reason: Missing output files: a.txt
        wildcards: x=1
    [Sat Nov 28 05:13:36 2026]
    rule b:
        input: a.txt
        output: b.txt
        log: logs/b.log
        jobid: 2
        reason: Missing output files: b.txt; Input files updated by another job: a.txt
Submitted group job ca808728-0a56-52cc-af22-f1ba7bd8f8d6 with external jobid '1'.
[Sat Nov 28 05:13:39 2026]
    message: Error in group g
    jobs:
        rule b:
            jobid: 2
            output: b.txt
            log: logs/b.log (check log file(s) for error details)
        rule a:
            jobid: 3
            output: a.txt
            log: logs/a.log (check log file(s) for error details)
    [Sat Nov 28 05:13:39 2026]
    Error in rule a:
        message: None
        jobid: 3
        output: a.txt
        log: logs/a.log (check log file(s) for error details)
        shell:
            echo start > logs/a.log; touch a.txt
            (command exited with non-zero exit code)
    [Sat Nov 28 05:13:39 2026]
    Error in rule b:
        message: None
        jobid: 2
        input: a.txt
        output: b.txt
        log: logs/b.log (check log file(s) for error details)
        shell:
            echo 'error: broken' > logs/b.log; false
            (command exited with non-zero exit code)
Removing output files of failed job a since they might be corrupted:
a.txt
"""
NAME = "2026-11-28T051336.183726.snakemake.log"


def said(folder: Path, since: str) -> list[str]:
    told = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stderr(told):
        what_failed.tell(since)
    return told.getvalue().splitlines()


def snakemake(folder: Path, *words: str) -> int:
    command = [SNAKEMAKE, "--cores", "1", "--keep-going", "--latency-wait", "0", *words]
    return subprocess.run(command, cwd=folder, capture_output=True).returncode


def test_a_run_of_snakemake(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    assert snakemake(tmp_path, "--show-failed-logs") == 1
    (own,) = (tmp_path / ".snakemake" / "log").iterdir()
    lines = said(tmp_path, "2026")
    assert sorted(lines) == [
        "failed: a: error: the file is broken; log: logs/a.log",
        "failed: b (x=one): ValueError: no luck; log: logs/b_one.log",
        f"failed: c: it has no log; Snakemake's: .snakemake/log/{own.name}",
        "failed: d: it ended well without writing all its results; its last words: wrote nothing;"
        " log: logs/d.log",
    ]
    assert said(tmp_path, "9999") == [], "a run that came to no file of its own"
    assert snakemake(tmp_path, "b/two.txt", "no_such_file") == 1
    last = max(path.name for path in own.parent.iterdir())
    assert said(tmp_path, last) == [], "no job of the last run failed"


@pytest.fixture
def folder(tmp_path):
    for name in ("logs", ".snakemake/log"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_of_a_group_the_job_that_says_why_is_told(folder):
    (folder / ".snakemake" / "log" / NAME).write_text(GROUP)
    assert said(folder, "2026") == [
        "failed: a (x=1): it left no log; log: logs/a.log",
        "failed: b: it left no log; log: logs/b.log",
    ]
    (folder / "logs" / "a.log").write_text("start\n")
    (folder / "logs" / "b.log").write_text("error: broken\n")
    assert said(folder, "2026") == ["failed: b: error: broken; log: logs/b.log"]


def test_a_group_that_does_not_say_why_is_not_hidden_by_another(folder):
    other = GROUP.replace("rule a", "rule e").replace("rule b", "rule f").replace("id: ", "id: 1")
    other = other.replace("logs/a", "logs/e").replace("logs/b", "logs/f")
    (folder / ".snakemake" / "log" / NAME).write_text(GROUP + other)
    (folder / "logs" / "b.log").write_text("error: broken\n")
    assert [line.split(":")[1] for line in said(folder, "2026")] == [" b", " e (x=1)", " f"]


def test_the_first_file_since_the_start_counts(folder):
    (folder / ".snakemake" / "log" / NAME).write_text(GROUP)
    assert len(said(folder, "2026-11-28T051336")) == 2
    assert said(folder, "2026-11-28T051337") == []
    newer = folder / ".snakemake" / "log" / NAME.replace("T0513", "T0514")
    newer.write_text("LockException:\nError: Directory cannot be locked.\n")
    assert len(said(folder, "2026-11-28T051336")) == 2
    assert said(folder, "2026-11-28T051400") == []


def test_nothing_to_read(tmp_path, folder):
    assert said(tmp_path, "2026") == []
    (folder / ".snakemake" / "log" / NAME).mkdir()
    assert said(folder, "2026") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "its log is empty"),
        (b"epoch 1\repoch 2\r\n \n", "epoch 2"),
        (b"error: \x1b[31mred \xff\n", "error:  [31mred \N{REPLACEMENT CHARACTER}"),
        (b"error: " + b"x" * 5000, "error: " + "x" * 390 + "..."),
    ],
)
def test_last_words_of_any_log(tmp_path, content, words):
    (tmp_path / "x.log").write_bytes(content)
    assert what_failed.last_words(tmp_path / "x.log")[0] == words


def test_many_jobs_are_cut_short(folder):
    one = "Error in rule b:\n    jobid: {}\n    log: logs/b.log\n"
    own = folder / ".snakemake" / "log" / NAME
    own.write_text("".join(one.format(number) for number in range(25)))
    lines = said(folder, "2026")
    assert len(lines) == 21
    assert lines[-1] == f"and 5 more that failed: see .snakemake/log/{NAME}"


def test_what_ctrl_c_ended_has_not_failed(folder):
    own = folder / ".snakemake" / "log" / NAME
    own.write_text(f"{what_failed.STOPPED}, this might take some time.\n{GROUP}")
    assert said(folder, "2026") == []
    own.write_text(f"{GROUP}{what_failed.STOPPED}, this might take some time.\n")
    assert len(said(folder, "2026")) == 2


def test_an_empty_log_on_a_full_disk(tmp_path, monkeypatch):
    (tmp_path / "x.log").touch()
    monkeypatch.setattr(what_failed.shutil, "disk_usage", lambda _: SimpleNamespace(free=8192))
    words = "its log is empty, and its disk has 8 kB left: make room"
    assert what_failed.last_words(tmp_path / "x.log") == (words, False)
