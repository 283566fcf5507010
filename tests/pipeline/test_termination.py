"""Trainings that end early, by SIGTERM, Ctrl-C or kill -9, and resume to the same bytes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from tiny_trainings import ROOMS, Tiny

from pipeline import termination, training_run
from pipeline.atomic import write_npz
from pipeline.checkpoint import Checkpoint
from pipeline.npz import read_npz

pytestmark = pytest.mark.slow

# A training whose step n adds n. It tells when one is done, and gets a signal twice in its fifth.
TRAINING = """
import os, signal, sys
import numpy as np
from pipeline.checkpoint import Checkpoint
checkpoint = Checkpoint(sys.argv[1], "key")
step, total = 0, np.zeros(1)
if stored := checkpoint.load():
    step, total = stored[1]["step"], stored[0]["total"]
    print("resumed at", step, flush=True)
while step < 40:
    total += step
    step += 1
    print("step", step, flush=True)
    if step == 5:
        os.kill(os.getpid(), int(sys.argv[2]))
        os.kill(os.getpid(), int(sys.argv[2]))
    if checkpoint.stopping:
        checkpoint.save({"total": total}, {"step": step})
print("total", int(total[0]), flush=True)
checkpoint.clear()
"""


def start(repository, *words):
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository / "scripts"), "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_any_training_saves_ends_and_resumes(repository, tmp_path, kind):
    words = ("-c", TRAINING, tmp_path / "c", int(kind))
    first = start(repository, *words)
    out, err = first.communicate(timeout=60)
    last = int(out.split()[-1])
    assert first.returncode == 128 + kind and last < 40
    assert err.count("\n") == 1 and err.startswith(f"ended by {kind.name}; the state is saved in ")
    out, err = start(repository, *words).communicate(timeout=60)
    assert out.startswith(f"resumed at {last}\nstep {last + 1}\n") and not err
    assert out.endswith(f"total {sum(range(40))}\n")
    assert not (tmp_path / "c").exists()


def test_without_a_checkpoint_a_signal_ends_at_once(tmp_path):
    termination.accept()  # an earlier test may have left a checkpoint of its own
    before = {kind: signal.getsignal(kind) for kind in termination.SIGNALS}
    checkpoint = Checkpoint(tmp_path / "c", "key")
    assert {signal.getsignal(kind) for kind in before} == {termination._note}
    checkpoint.clear()
    assert {kind: signal.getsignal(kind) for kind in before} == before


def test_what_is_ignored_stays_ignored(repository, tmp_path):
    """`nohup make run &`: the Ctrl-C of the next program in that terminal is not for this one."""
    ignoring = f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{TRAINING}"
    done = start(repository, "-c", ignoring, tmp_path / "c", int(signal.SIGINT))
    assert done.communicate(timeout=60)[0].endswith(f"total {sum(range(40))}\n")


def test_a_request_before_the_last_step_changes_nothing_after_clear(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "key")
    os.kill(os.getpid(), signal.SIGTERM)
    assert checkpoint.stopping
    checkpoint.clear()
    assert not checkpoint.stopping
    Checkpoint(tmp_path / "d", "key").save({"w": np.zeros(1)}, {})


@pytest.fixture(autouse=True)
def as_it_was():
    """PyTorch stays as it was."""
    threads, algorithms = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(algorithms)


@pytest.fixture(params=ROOMS)
def tiny(request, monkeypatch, tmp_path):
    yield Tiny(request.param, monkeypatch, tmp_path)
    termination.accept()


def cut(tiny, folder):
    """Train until SIGTERM in the middle of the eighth step: saved after it."""
    with pytest.raises(SystemExit) as ended:
        tiny(folder, stop=8)
    assert ended.value.code == 143
    assert not tiny.file(folder).exists()


def test_a_training_that_ended_early_ends_with_the_same_bytes(tiny, tmp_path, capsys, monkeypatch):
    """By SIGTERM, and by kill -9 in the eighth step, when the state after the seventh is there."""
    whole = tiny(tmp_path / "whole")
    total = tiny.steps
    cut(tiny, tmp_path / "cut")
    done = tiny.steps
    assert "ended by SIGTERM" in capsys.readouterr().err
    assert tiny(tmp_path / "cut") == whole
    assert "resumed " in capsys.readouterr().out
    assert done + tiny.steps == total, "a step was done twice, or left out"
    assert not (tmp_path / "cut" / "checkpoint").exists()

    monkeypatch.setattr(training_run, "SAVE_EVERY", -1.0)
    tiny.signal = signal.SIGKILL
    child = os.fork()
    if not child:
        try:
            tiny(tmp_path / "killed", stop=8)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not tiny.file(tmp_path / "killed").exists()
    assert tiny(tmp_path / "killed") == whole
    assert "resumed after step 7 of " in capsys.readouterr().out
    assert tiny.steps == total - 7
    assert not (tmp_path / "killed" / "checkpoint").exists()


def changed(path):
    """Another file of the same kind at `path`, which any reader takes."""
    if path.suffix == ".json":
        path.write_text(json.dumps(json.loads(path.read_text()) | {"changed": True}))
    elif path.suffix == ".npz":
        write_npz(path, **read_npz(path), changed=np.zeros(1))
    else:
        tokens = np.load(path)
        tokens[0] = tokens[1]
        np.save(path, tokens)


def test_a_stale_checkpoint_is_never_resumed(tiny, tmp_path, capsys):
    """Another code, another setting, or another file of any input: it begins anew."""
    cut(tiny, tmp_path / "cut")

    def resumes(**changes):
        """Whether the next step that is taken is not the first."""
        shutil.copytree(tmp_path / "cut", tmp_path / "again")
        with contextlib.suppress(SystemExit):  # one step may be all that is left
            tiny(tmp_path / "again", stop=1, **changes)
        shutil.rmtree(tmp_path / "again")
        return "resumed " in capsys.readouterr().out

    for change in ({"code": "another"}, {"seed": 7}):
        assert not resumes(**change), change
    for name, path in tiny.inputs.items():
        kept = path.read_bytes()
        changed(path)
        assert not resumes(), name
        path.write_bytes(kept)
    # And the unchanged one goes on: what was tested is the key.
    assert resumes()
