"""`make unlock` looks whether something still works in the folder."""

import subprocess
import sys

from still_running import still_running

SLEEPS = "print(1, flush=True); import time; time.sleep(60)"


def test_a_program_of_this_folder_is_named_and_nothing_else(tmp_path):
    for name in ("here/scripts", "there/scripts"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "train_x.py").write_text(
            "print(1, flush=True); import time; time.sleep(60)"
        )
    running = [
        subprocess.Popen(
            [sys.executable, *words], cwd=tmp_path / folder, stdout=subprocess.PIPE, text=True
        )
        for folder, words in (
            ("here", ["scripts/train_x.py"]),
            ("there", ["scripts/train_x.py"]),
            ("here", ["-c", SLEEPS]),
        )
    ]
    try:
        for process in running:
            process.stdout.readline()
        assert still_running(tmp_path / "here") == [f"process {running[0].pid}: train_x.py"]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert still_running(tmp_path / "here") == []
