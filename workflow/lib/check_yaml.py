"""Say where a configuration file is not YAML, which Snakemake's own message leaves out, or where
a key stands twice, of which it would take the last without a word.

Warn too if the last file, the one that is run, shares its `run` with another one beside it.

python workflow/lib/check_yaml.py FILE...
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from yaml.composer import Composer

# What comes out of PyYAML for values that its tags cannot take (a date without a day, say).
UNREADABLE = (
    yaml.YAMLError, OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
    RecursionError,
)  # fmt: skip
MOST_VALUES = 100_000
MERGE = "tag:yaml.org,2002:merge"
Pair = tuple[yaml.ScalarNode, yaml.Node]


def count_values(value: object, done: dict[int, int] | None = None) -> int:
    """How many values `value` has, written out: one behind ten aliases counts ten times.

    Ten lines of aliases of aliases stand for a million values: they would stop every later check.
    Raises ValueError for a value that holds itself.
    """
    if not isinstance(value, (dict, list, tuple, set)):
        return 1
    done = {} if done is None else done
    if id(value) not in done:
        done[id(value)] = 0
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        done[id(value)] = 1 + sum(count_values(item, done) for item in inner)
    elif not done[id(value)]:
        raise ValueError("an alias that stands for itself")
    return done[id(value)]


class DuplicateKeyError(yaml.MarkedYAMLError):
    """A key that stands twice in one mapping."""


class OnceLoader(Composer, yaml.CSafeLoader):
    """SafeLoader that raises DuplicateKeyError; what a merge `<<` brings may be written over.

    Its scanner and parser are those in C, several times as fast. The composer in C is not:
    thousands of brackets in each other overflow its stack, where this one raises RecursionError.
    """

    def __init__(self, stream: str) -> None:
        Composer.__init__(self)
        yaml.CSafeLoader.__init__(self, stream)
        self.checked: set[yaml.MappingNode] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put the keys of merges before the mapping's own, which it checks.

        Called for each merge of the mapping too: only the first time are its keys all its own.
        """
        own = [] if node in self.checked else [p for p in node.value if p[0].tag != MERGE]
        self.checked.add(node)
        super().flatten_mapping(node)
        first: dict = {}
        for key, value in own:
            if not isinstance(key, yaml.ScalarNode):  # no dict takes it: refused later
                continue
            name = self.construct_object(key)
            if name in first:
                raise self.twice(first[name], (key, value))
            first[name] = key, value

    @staticmethod
    def twice(before: Pair, again: Pair) -> DuplicateKeyError:
        """The error for the second of two pairs of one key."""
        (key, value), line = again, before[0].start_mark.line + 1
        mappings = all(isinstance(v, yaml.MappingNode) for v in (before[1], value))
        advice = "join the two" if mappings else "keep one of them"
        return DuplicateKeyError(
            problem=f"the key {key.value!r} stands here twice (first in line {line}); {advice}",
            problem_mark=key.start_mark,
        )


def read(path: Path) -> tuple[dict, str | None]:
    """The mapping in a file, and None; or {} and one line that says what is wrong, and where."""
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), OnceLoader)
        if count_values(value) > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values, aliases written out")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        why = " ".join(str(error.problem).split())
        kind = "" if isinstance(error, DuplicateKeyError) else "not YAML: "
        return {}, f"{path}:{mark.line + 1}:{mark.column + 1}: {kind}{why}"
    except UNREADABLE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return {}, f"{path}: cannot be read as YAML: {why}"
    if not isinstance(value, dict):
        return {}, f"{path}: expected keys with values, found {type(value).__name__}"
    if "__use_yte__" in value:
        return {}, f"{path}: __use_yte__: Snakemake would run the code in such a file; remove it"
    return value, None


def problem(path: Path) -> str | None:
    """What `read` says against a file, or None."""
    return read(path)[1]


def shared_run(chosen: Path) -> str | None:
    """A warning if another preset beside `chosen` writes into the same results folder, or None.

    A preset is a YAML file with no other keys than config.yaml beside it, whose `run` it has if it
    names none of its own.
    """
    found = {path.name: read(path)[0] for path in sorted(chosen.parent.glob("*.yaml"))}
    standard = found.get("config.yaml", {})
    runs = {
        name: keys.get("run", standard.get("run"))
        for name, keys in found.items()
        if keys and set(keys) <= set(standard)
    }
    own = runs.pop(chosen.name, None)
    others = ", ".join(name for name, run in runs.items() if run == own)
    if own is None or not others:
        return None
    same = f"{chosen}: the run is called {own!r}, as in {others}"
    return f"{same}: they write over each other's results; give it a `run` of its own"


def check(paths: Sequence[Path]) -> None:
    """Warn of a shared run; end the program with a line for each file that cannot be read."""
    found = [f"error: {line}" for line in map(problem, paths) if line]
    if found:
        sys.exit("\n".join(found))
    if paths and (warning := shared_run(paths[-1])):
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    check([Path(word) for word in sys.argv[1:]])
