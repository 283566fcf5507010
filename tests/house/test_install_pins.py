"""How make installs the pins into .venv: stand-ins take the place of Python, pip and uv."""

import os
import subprocess
import sys

import install
import pytest

REAL = sys.executable
PYTHON = """#!/bin/sh
echo "python $*" >> said
case "$*" in
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"-r requirements-uv.txt") test ! -e uv || cp uv .venv/bin/uv ;;
*"config list") cat pip.conf ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >> said
case "$*" in
*--dry-run*) test ! -e offline ;;
*" -r "*) echo "index $UV_DEFAULT_INDEX" >> said; test ! -e killed || kill -9 $PPID ;;
esac
"""
PINS = """\
jinja2==3.1.6 \\
    --hash=sha256:11 \\
    --hash=sha256:12
    # via torch
nvidia-nvtx==13.0.85 ; sys_platform == 'linux' \\
    --hash=sha256:21
    # via torch
torch==2.14.1 \\
    --hash=sha256:31
    # via -r requirements.in
torchvision==0.29.1 \\
    --hash=sha256:41
triton==3.8.0 ; sys_platform == 'linux' \\
    --hash=sha256:51
"""
UV_INSTALL = "uv pip install --python .venv/bin/python --no-deps"
HASHED = "--require-hashes -r .venv/installed/requirements.txt --build-constraints requirements.txt"
MIRROR = "index https://mirror.example/simple"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with pins and stand-ins, in which `installs` works."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    for name, text in {"python": PYTHON, "uv": UV}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "requirements.txt").write_text(PINS)
    (folder / "pip.conf").write_text("global.index-url='https://mirror.example/simple'\n")
    install.pip_configuration.cache_clear()
    return folder


def installs(folder, *words, pins="requirements.txt", stamp="ready"):
    """Install; return what uv and pip were told to change."""
    (folder / "said").write_text("")
    install.main([pins, "--stamp", f".venv/{stamp}", *words])
    lines = (folder / "said").read_text().replace("-m pip --disable-pip-version-check ", "pip ")
    asked = ("--version", "config list", "--dry-run", "requirements-uv.txt", "-m venv")
    return [line for line in lines.splitlines() if not any(word in line for word in asked)]


def whole(repository, folder, *words):
    script = repository / "workflow" / "lib" / "venv_is_whole.sh"
    return subprocess.run(["sh", script, *words], cwd=folder).returncode == 0


def test_uv_follows_pip_and_insists_on_hashes(place, repository, capsys):
    assert whole(repository, place), "nothing there: made without being emptied"
    assert installs(place) == [f"{UV_INSTALL} {HASHED}", MIRROR]
    assert "Installing the pinned packages into .venv: about 6 GB" in capsys.readouterr().out
    assert (place / ".venv/installed/requirements.txt").read_text() == PINS
    assert (place / ".venv/ready").read_text() == f"{place}/.venv\ncuda\n"
    assert not (place / ".venv/unfinished").exists() and whole(repository, place)


def test_the_builds_for_cpus_come_without_hashes_and_stay(place, repository, capsys):
    assert installs(place, "--torch", "cpu") == [
        f"{UV_INSTALL} {HASHED}",
        MIRROR,
        f"{UV_INSTALL} --torch-backend cpu -r .venv/installed/cpu.txt",
        MIRROR,
    ]
    assert "the versions are pinned, the hashes are not" in capsys.readouterr().out
    kept = (place / ".venv/installed/requirements.txt").read_text()
    assert [name for name, _ in install.blocks(kept)] == ["jinja2"] and "sha256:12" in kept
    pinned = (place / ".venv/installed/cpu.txt").read_text()
    assert pinned == "torch==2.14.1\ntorchvision==0.29.1\n"
    assert whole(repository, place) and whole(repository, place, "cpu")
    assert not whole(repository, place, "cuda"), (
        "the pinned build does not take its place by itself"
    )
    assert any("--torch-backend cpu" in line for line in installs(place)), "as last time"
    assert not any("--torch-backend" in line for line in installs(place, "--fresh", "--torch=cuda"))


def test_an_update_removes_what_is_no_longer_pinned_and_nothing_else(place, capsys):
    (place / "requirements-dev.txt").write_text("jinja2==3.1.6 \\\n    --hash=sha256:11\n")
    installs(place)
    installs(place, pins="requirements-dev.txt", stamp="ready-dev")
    (place / "requirements.txt").write_text(PINS[PINS.index("nvidia") : PINS.index("triton")])
    capsys.readouterr()
    told = installs(place)
    assert capsys.readouterr().out == "Bringing .venv up to date with requirements.txt.\n"
    gone = "python pip uninstall --quiet --quiet --yes triton"
    assert told == [f"{UV_INSTALL} {HASHED}", MIRROR, gone]


def test_a_killed_installation_starts_over(place, repository):
    installs(place)
    (place / ".venv/lib").mkdir()
    (place / "killed").touch()
    lines = "import sys, install; sys.executable = './python'; install.main(sys.argv[1:])"
    words = ["requirements.txt", "--stamp", ".venv/ready"]
    lib = str(repository / "workflow" / "lib")
    environment = os.environ | {"PYTHONPATH": lib}
    done = subprocess.run([REAL, "-c", lines, *words], env=environment, stdout=subprocess.DEVNULL)
    assert done.returncode == -9 and not whole(repository, place)
    (place / "killed").unlink()
    installs(place, "--fresh")
    assert whole(repository, place) and not (place / ".venv/lib").exists()


def test_without_network_an_update_changes_nothing(place, repository):
    installs(place)
    (place / "offline").touch()
    with pytest.raises(SystemExit, match="not up to date"):
        installs(place)
    assert whole(repository, place) and "--dry-run" in (place / "said").read_text()


def test_pip_takes_the_place_of_a_uv_that_cannot_be_had(place, capsys):
    (place / "uv").unlink()
    with pytest.raises(SystemExit, match="TORCH=cpu needs uv"):
        installs(place, "--torch", "cpu")
    pip = (
        "python pip install --quiet --no-deps --require-hashes -r .venv/installed/requirements.txt"
    )
    assert installs(place, "--torch", "cuda") == [pip]
    assert "pip takes its place" in capsys.readouterr().out


def test_what_is_in_the_way_is_named(place, repository):
    (place / ".venv").symlink_to("nowhere")
    with pytest.raises(SystemExit, match="^.venv is no folder: remove it"):
        installs(place)
    (place / ".venv").unlink()
    (place / "python").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(SystemExit, match="the lines above say why"):  # not: no venv module
        installs(place)
    (place / ".venv/unfinished").unlink()
    (place / ".venv/unfinished").mkdir()
    program = [REAL, repository / "workflow/lib/install.py", "requirements.txt"]
    done = subprocess.run([*program, "--stamp=.venv/ready"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(".venv cannot be written: [Errno")


def test_when_a_venv_is_whole(place, repository):
    installs(place)
    (place / ".venv").rename(place / "moved")
    (place / ".venv").mkdir()
    assert not whole(repository, place), "no Python"
    (place / ".venv/bin").mkdir()
    (place / ".venv/bin/python").symlink_to(place / "python")
    assert whole(repository, place), "made by hand"
    (place / ".venv/ready").write_text(f"{place}/.venv\n")
    assert whole(repository, place) and not whole(repository, place, "cpu"), "before TORCH"
    (place / ".venv/ready").write_text(f"{place}/moved\ncuda\n")
    assert not whole(repository, place), "of another folder"
    (place / ".venv/ready").write_text(f"{place}/.venv\ncuda\n")
    (place / ".venv/bin/python").unlink()
    (place / ".venv/bin/python").symlink_to("/nonexistent/python")
    assert not whole(repository, place), "its Python was removed"


def test_uv_is_told_what_pip_is_told():
    configuration = """\
global.cert='/etc/ca.pem'
global.extra-index-url='\\nfile:///a\\nfile:///b'
global.find-links='/wheels https://wheels.example/all'
global.index-url='https://first.example'
global.no-index='true'
install.index-url='https://second.example'
install.trusted-host='second.example'
freeze.timeout='7'
:env:.default-timeout='180'
"""
    home = {"HOME": "/", "UV_INDEX": "https://mine.example"}
    words, environment = install.like_pip(configuration, home)
    environment.pop("UV_CACHE_DIR", None)
    assert words == ["--no-index"] and environment == {
        **home,
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_DEFAULT_INDEX": "https://second.example",
        "UV_FIND_LINKS": "/wheels,https://wheels.example/all",
        "UV_HTTP_TIMEOUT": "180",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": "second.example",
    }


def test_uv_needs_no_home(monkeypatch):
    monkeypatch.setenv("HOME", "/nonexistent")
    _, environment = install.like_pip("", {})
    assert environment["UV_CACHE_DIR"] == os.path.abspath(".snakemake/cache/uv")
