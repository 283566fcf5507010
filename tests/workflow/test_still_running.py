"""`make unlock` looks whether something still works in the folder."""

import subprocess
import sys

from still_running import still_running

SLEEPS = "print(1, flush=True); import time; time.sleep(60)"


def test_a_program_of_this_folder_is_named_and_nothing_else(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name / "scripts/room").mkdir(parents=True)
        (tmp_path / name / "scripts/room/train.py").write_text(
            "print(1, flush=True); import time; time.sleep(60)"
        )
    running = [
        subprocess.Popen(
            [sys.executable, *words],
            cwd=tmp_path / folder,
            env={"PYTHONPATH": "scripts"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder, words in (
            ("here", ["-m", "room.train"]),
            ("there", ["-m", "room.train"]),
            ("here", ["-c", SLEEPS]),
        )
    ]
    try:
        for process in running:
            process.stdout.readline()
        assert still_running(tmp_path / "here") == [f"process {running[0].pid}: room.train"]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert still_running(tmp_path / "here") == []
