"""Takes Apptainer's place: apptainer exec ... IMAGE SHELL -c COMMAND, IMAGE being a folder.

The command runs among the machine's own files, but for /conda-envs, which is the folder's: enough
to see that Snakemake finds there what a recipe of containers/ has installed, and uses it. What was
called is appended to IMAGE/calls.
"""

import os
import sys
from pathlib import Path

if sys.argv[1:] == ["--version"]:
    print("apptainer version 1.3.0")
    sys.exit()
image, shell, _, command = sys.argv[-4:]
with Path(image, "calls").open("a") as calls:
    calls.write(command + "\n")
os.environ["PATH"] = f"{image}/bin:{os.environ['PATH']}"
os.execvp(shell, [shell, "-c", command.replace("/conda-envs/", f"{image}/conda-envs/")])
