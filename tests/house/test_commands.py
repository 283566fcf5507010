"""Every command that a page or a workflow file names is there, and takes the words given to it."""

import re
import shlex

import forks
import pytest
import typer.main
import yaml

from cli.main import app

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "config/README.md",
    "docs/*.md",
    ".github/workflows/*.yaml",
]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", flags=re.M | re.S)
# Presets that a page tells the reader to write.
OWN = {"mine", "longer", "mydna"}


def shell(text):
    """The lines of shell in a page: those of its sh blocks, and what it quotes in a sentence."""
    blocks = [code for language, code in BLOCK.findall(text) if language == "sh"]
    yield from "".join(blocks).replace("\\\n", " ").splitlines()
    yield from (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", BLOCK.sub("", text)))


def steps(text):
    """The lines of shell in a workflow file."""
    jobs = yaml.safe_load(text)["jobs"].values()
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    return "\n".join(runs).splitlines()


def commands(repository, program):
    """(page, words) of each call of `program` by a page; words: those after its name."""
    call = re.compile(rf"(?:\S*[=/]\S* |for .* do |sudo )?(?:\.venv/bin/)?{program}(?: (.*)|$)")
    for pattern in PAGES:
        for page in sorted(repository.glob(pattern)):
            text = page.read_text(encoding="utf-8")
            for line in steps(text) if page.suffix == ".yaml" else shell(text):
                if found := call.match(line.strip()):
                    words = re.split(r" > |;| \| | && ", found[1] or "")[0]
                    yield page.name, shlex.split(words, comments=True)


def test_every_make_word_is_one(repository):
    makefile = (repository / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*?[^\\])\n", makefile, flags=re.M | re.S)[1]
    targets = {*phony.replace("\\\n", " ").split(), ".venv/ready"}
    known = set(re.search(r"^WORDS := (.*)", makefile, flags=re.M)[1].split())
    presets = {path.stem for path in (repository / "config").glob("*.yaml")} | {"standard"} | OWN
    found, wrong = 0, []
    for page, words in commands(repository, "make"):
        found += 1
        for word in words:
            name, given, value = word.partition("=")
            right = name in known if given else name in targets
            if not right or (name == "PRESET" and value not in presets):
                wrong.append((page, word))
    assert found > 60 and wrong == []


def test_every_command_of_nn_takes_its_words(repository):
    found = 0
    for _, words in commands(repository, "nn"):
        if not words or words[0].startswith("-"):
            continue
        found += 1
        command, context = typer.main.get_command(app), None
        while hasattr(command, "commands"):
            context = command.make_context("nn", [*words], parent=context)
            _, command, words = command.resolve_command(context, words)
        # A wrong option or number of arguments raises.
        command.make_context("nn", words, parent=context)
    assert found > 20


@pytest.mark.slow
def test_every_program_has_its_options(repository):
    found, wrong = 0, []
    for page, words in commands(repository, "python"):
        if words[:1] != ["-m"] or words[1] in ("snakemake", "doctest"):
            continue
        found += 1
        shown = forks.python("-m", words[1], "--help", cwd=repository)
        options = [word for word in words if word.startswith("--")]
        if shown.returncode or any(f"{option} " not in shown.stdout for option in options):
            wrong.append((page, words, shown.stderr))
    assert found > 5 and wrong == []
