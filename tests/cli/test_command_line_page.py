"""docs/command-line.md names every command of nn, and no word or option that there is not."""

import re
import shlex
import subprocess
import sys

import typer.main

from cli.main import app

PAGE = "docs/command-line.md"


def lines(repository):
    """The words of each `nn ...` line in a block of the page."""
    text = (repository / PAGE).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.M | re.S)
    for line in "".join(blocks).splitlines():
        if line.startswith("nn "):
            yield shlex.split(line.split(">")[0], comments=True)[1:]


def commands(group, before=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


def test_the_page_shows_every_command_as_it_is(repository):
    known = dict(commands(typer.main.get_command(app)))
    shown = set()
    for words in lines(repository):
        if words == ["--help"]:
            continue
        name = next((key for key in known if tuple(words[: len(key)]) == key), None)
        assert name, f"{PAGE}: no such command: {words}"
        # It takes these words: a wrong option or number of arguments raises.
        known[name].make_context(" ".join(name), words[len(name) :])
        shown.add(name)
    assert shown == set(known)


def test_help_is_there_at_once_and_without_torch(repository):
    """In processor time, which other programs do not lengthen."""
    code = "import resource, sys; from cli.main import main; sys.argv = ['nn', '--help']\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "used = resource.getrusage(resource.RUSAGE_SELF)\n"
    code += "print('torch' in sys.modules, used.ru_utime + used.ru_stime, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    torch, seconds = done.stderr.split()
    assert "translate" in done.stdout and torch == "False"
    assert float(seconds) < 0.5
