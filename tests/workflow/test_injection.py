"""No text of the configuration, of the table of data sets or of a folder's name reaches a shell.

Every shell command of a run is printed by Snakemake and executed with a `python` that only notes
its arguments; then a cheap rule and a fetch run for real, in a folder with a hostile name.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from configuration import Configuration, ConfigurationError, checked
from harness import copy_repository, snakemake

from raw.table import Table

HOSTILE = [
    "it's",
    'a "word"',
    "two  spaces",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned;",
    "x' ; touch pwned ; '",
    "| touch pwned &",
    "a\ntouch pwned\n",
    "${HOME} $PATH \\ \\\\ %s {0} {wildcards} {{",
    "ünï 日本 \u202e \u2028",
    "-rf --spec *",
    "\t\r~!#",
]
ALL = " ".join(HOSTILE)
# The folder that the workflow lies in; `/` and NUL are all that a name cannot hold. No `{`:
# Snakemake's own formatting of paths, not a shell, would stop at it.
FOLDER = 'it\'s $(touch pwned); `touch pwned` "ünï" & x'

MADE = "results/demo/seq2seq/data/meta.json"
MODULE = """
configfile: "config/config.yaml"
module house:
    snakefile: {0!r}
    config: config
use rule * from house
"""
STUB = """#!/bin/bash
printf '%s\\0' "$@" >> {notes}
printf '\\1\\0' >> {notes}
"""


def hostile_settings():
    """Everything that the configuration lets through as free text."""
    stories = {"sentence": ALL, "sampling": {"prompts": HOSTILE}}
    return {"data_mirror": ALL, "gpt": {"settings": {"grammar_stories": stories}}}


@pytest.fixture(scope="module")
def place(repository, tmp_path_factory):
    """A copy of the repository in a folder with a hostile name, its data sets described so too."""
    folder = tmp_path_factory.mktemp("injection") / FOLDER
    folder.mkdir()
    copy_repository(repository, folder)
    path = folder / "config" / "datasets.yaml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    for entry in table.values():
        entry |= {"title": ALL, "description": ALL, "licence": ALL, "citation": ALL}
    content = b"not the real one"
    (file,) = table["statlog_dna"]["files"]
    file |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    mirror = folder / "mirror 'of' $(touch pwned)"
    (mirror / "statlog_dna").mkdir(parents=True)
    (mirror / "statlog_dna" / "DNA.rda").write_bytes(content)
    return folder, mirror


def pwned(folder):
    return [path for top in (folder, folder.parent) for path in top.rglob("*pwned")]


def arguments_of(commands, folder, tmp_path):
    """Execute shell commands with a python that notes its words; the words of each call."""
    notes = tmp_path / "notes"
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "python"
    stub.write_text(STUB.format(notes=notes))
    stub.chmod(0o755)
    environment = {**os.environ, "PATH": f"{stub.parent}:{os.environ['PATH']}"}
    for command in commands:
        for name in re.findall(r"(?:> |tee )(\S+\.log)", command):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder,
            check=True,
            env=environment,
            capture_output=True,
        )
    calls = notes.read_bytes().decode().split("\0\1\0")
    return [call.split("\0") for call in calls[:-1]]


def printed(shown):
    """The shell commands in what a dry run printed: each ends before a line that is Snakemake's."""
    found = re.findall(r"^Shell command: (.*?)(?=^\[|^Job stats|^rule |\Z)", shown, re.M | re.S)
    return [command for command in found if command.strip() != "None"]


def test_every_command_passes_hostile_texts_whole(place, tmp_path):
    folder, _ = place
    change = hostile_settings()
    shown = snakemake(folder, "-n", "-p", "--forceall", change=change)
    calls = arguments_of(printed(shown), folder, tmp_path)
    assert len(calls) > 30 and not pwned(folder)
    specs = {}
    for words in calls:
        assert words[0] == "-m" and words[2] == "--spec"
        spec = json.loads(words[3])
        specs.setdefault(words[1], spec)
        # What follows are options and plain paths: nothing hostile is anywhere but in the spec.
        assert all(re.fullmatch(r"[\w./=-]+", word) for word in words[4:]), words[4:]
    assert specs["gpt.sample"]["prompts"] == HOSTILE
    assert specs["gpt.trace"]["sentence"] == ALL
    for name in ("raw.generate_images", "dna.prepare", "gpt.prepare"):
        about = specs[name]["about"]
        assert about["title"] == about["description"] == about["licence"] == ALL
    assert specs["seq2seq.prepare"]["about"]["citation"] == ALL


def test_a_cheap_rule_and_a_fetch_really_run(place):
    folder, mirror = place
    change = {"data_mirror": str(mirror)}
    snakemake(folder, MADE, "data/raw/statlog_dna/DNA.rda", change=change)
    assert json.loads((folder / MADE).read_text(encoding="utf-8"))["title"] == ALL
    assert (folder / "data/raw/statlog_dna/DNA.rda").read_bytes() == b"not the real one"
    assert not pwned(folder)


def test_a_workflow_used_from_another_folder(place, tmp_path):
    """PYTHONPATH leads through the hostile folder then: it has to be quoted as well."""
    folder, _ = place
    files = [str(folder / "config" / name) for name in ("config.yaml", "demo.yaml")]
    words = ["--directory", str(tmp_path / "here"), "--configfile", *files]
    snakemake(folder, MADE, *words)
    assert (tmp_path / "here" / MADE).is_file()
    calls = arguments_of(printed(snakemake(folder, "-n", "-p", *words)), tmp_path, tmp_path)
    assert len(calls) > 30 and all(words[0] == "-m" for words in calls)
    assert not pwned(folder) and not pwned(tmp_path)


def test_a_workflow_used_as_a_module(place, tmp_path):
    folder, _ = place
    (tmp_path / "Snakefile").write_text(MODULE.format(str(folder / "Snakefile")))
    (tmp_path / "config").mkdir()
    for name in ("config.yaml", "demo.yaml"):
        shutil.copy(folder / "config" / name, tmp_path / "config" / name)
    snakemake(tmp_path, MADE)
    assert (tmp_path / MADE).is_file() and not pwned(tmp_path)


@pytest.mark.parametrize(
    "name", [*HOSTILE, "demo\n", "a;b", "../up", "a/b", ".hidden", "-n", "", "$(touch pwned)x"]
)
def test_a_run_cannot_have_a_hostile_name(name):
    with pytest.raises(ConfigurationError, match="(?m)^config: run: expected letters"):
        checked("config", {"run": name}, Configuration)


@pytest.mark.parametrize("name", ["a b", "a;b", "x\n", "$(touch pwned)", "../x", "a'b"])
def test_a_data_set_or_its_files_cannot_have_a_hostile_name(repository, name):
    table = yaml.safe_load((repository / "config" / "datasets.yaml").read_text(encoding="utf-8"))
    entry = table["statlog_dna"]
    with pytest.raises(ConfigurationError, match="expected as a key small letters"):
        checked("table", {name: entry}, Table)
    entry["files"][0]["path"] = f"statlog_dna/{name}"
    with pytest.raises(ConfigurationError, match="files.0.path: expected a relative path"):
        checked("table", {"statlog_dna": entry}, Table)


RULES = sorted((Path(__file__).parents[2] / "workflow" / "rules").glob("*.smk"))


@pytest.mark.parametrize(
    "rules", [path for path in RULES if "shell:\n" in path.read_text()], ids=lambda path: path.stem
)
def test_every_word_of_every_shell_command_is_quoted(rules):
    """In the rules' text: {log}, {params...}, {input...} and {output...} only with :q."""
    text = rules.read_text(encoding="utf-8")
    blocks = re.findall(r"^ +shell:\n((?: +\".*\"\n)+)", text, re.M)
    words = [word for block in blocks for word in re.findall(r"\{([^{}]*)\}", block)]
    assert blocks and [word for word in words if not word.endswith(":q")] == []
