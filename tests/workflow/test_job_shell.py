"""The shell that Snakemake starts around a rule's program, when a cluster signals them both."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

PROGRAM = """
import signal, sys, time
def save(*_):
    time.sleep(0.5)
    open("saved", "w").close()
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
open("ready", "w").close()
signal.pause()
"""


def test_the_shell_waits_until_the_program_has_saved(repository, tmp_path):
    rules = (repository / "workflow" / "rules" / "common.smk").read_text()
    words = re.search(r"^shell\.prefix\((.*?)^\)$", rules, flags=re.M | re.S)[1]
    prefix = eval(f"({words})", {"os": os, "shlex": shlex, "SCRIPTS": repository / "scripts"})
    (tmp_path / "program.py").write_text(PROGRAM)
    line = f"{prefix}{sys.executable} program.py > log 2>&1; touch after"
    job = subprocess.Popen(["bash", "-c", line], cwd=tmp_path, start_new_session=True)
    end = time.monotonic() + 30
    while not (tmp_path / "ready").exists() and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGTERM)
    assert job.wait(30) == 143
    assert (tmp_path / "saved").exists() and not (tmp_path / "after").exists()
