"""Python programs as forks of one process that has imported their packages already.

A program of the project computes for a tenth of a second and imports for two: so a test run gets by
with one start. What a fork shares with others is never the project's: its modules are imported in
the fork, from the folder and under the environment of the caller.

    python tests/forks.py serve SOCKET MODULE...        import the modules; a fork for each request
    python tests/forks.py call SOCKET WORD...           what `python WORD...` does, by such a fork
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path

# What the programs import of other people's.
PACKAGES = (
    "jinja2", "pandas", "pydantic", "requests", "rich.progress",
    "rocrate.rocrate", "safetensors.torch", "scipy.ndimage", "scipy.stats", "tokenizers",
    "torch.nn.attention", "torch.utils.flop_counter", "yaml",
)  # fmt: skip
KILLED = -9


class Server:
    """A server of forks that ends with this process."""

    def __init__(self, *modules: str, path: tuple[Path, ...] = ()):
        self.folder = tempfile.mkdtemp(prefix="forks-")
        self.socket = f"{self.folder}/socket"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment |= {"PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
        words = [sys.executable, "-P", __file__, "serve", self.socket, *modules]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, env=environment)
        atexit.register(self.end)
        assert self.process.stdout.readline() == b"ready\n"

    def end(self) -> None:
        self.process.communicate()
        shutil.rmtree(self.folder)

    def run(
        self,
        *words: object,
        cwd: Path | str = ".",
        env: dict[str, str] | None = None,
        python: Path | str = sys.executable,
    ) -> subprocess.CompletedProcess:
        """What subprocess.run([python, *words], ...) returns, its output captured as text.

        words: -m, the name of a module, its arguments. python: what sys.executable is to be.
        """
        words = tuple(map(str, words))
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            files = [0, out.fileno(), err.fileno()]
            status = call(self.socket, files, words, cwd, {**(env or os.environ)}, python)
            for file in (out, err):
                file.seek(0)
            shown = (file.read().decode() for file in (out, err))
            return subprocess.CompletedProcess(words, status, *shown)


@cache
def programs() -> Server:
    """The server of programs for this process."""
    return Server(*PACKAGES)


def python(*words: object, **options: object) -> subprocess.CompletedProcess:
    """`python -m MODULE WORD...` with its output captured, by a fork."""
    return programs().run(*words, **options)


@cache
def shim() -> Path:
    """A folder whose `python` runs programs by forks of this process's server."""
    folder = Path(programs().folder)
    words = [sys.executable, "-IS", __file__, "call", programs().socket]
    # Not `#!{python}`: such a line holds no space and no long path.
    (folder / "python").write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    (folder / "python").chmod(0o755)
    return folder


def call(path, files, words, folder, environment, executable) -> int:
    """Ask the server at `path`; the status of the fork that had `files` as its streams."""
    assert words[0] == "-m", words
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b"0"], files)
        request = [words, os.path.abspath(folder), environment, str(executable)]
        server.sendall(json.dumps(request).encode())
        server.shutdown(socket.SHUT_WR)
        return int(server.makefile().read() or KILLED)


def serve(path: str, names: list[str]) -> None:
    """Fork for each request until stdin ends."""
    modules = [import_module(name) for name in names]
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(100)
        print("ready", flush=True)
        while listening in select.select([listening, 0], [], [])[0]:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended
                    pass
            caller = listening.accept()[0]
            _, files, *_ = socket.recv_fds(caller, 1, 3)
            request = json.loads(caller.makefile().read())
            for module in modules:
                if hasattr(module, "before_fork"):
                    module.before_fork(request[1])
            if not os.fork():
                listening.close()
                become(caller, files, *request)
            for file in (caller.detach(), *files):
                os.close(file)


def become(caller, files, words, folder, environment, executable) -> None:
    """In the fork: run the program, tell its status, and end."""
    status: object = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
        named = list(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
        here = [] if environment.get("PYTHONSAFEPATH") else [folder]
        sys.path[:] = here + [os.path.abspath(name) for name in named] + sys.path
        sys.executable = executable
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    caller.sendall(str(status).encode())
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(call(sys.argv[2], [0, 1, 2], sys.argv[3:], ".", {**os.environ}, sys.executable))
