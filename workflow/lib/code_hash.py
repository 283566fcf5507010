"""The hash of the code that a program is made of: itself and, transitively, what it imports.

It goes into the program's `--spec` and so into the rule's params: an edited module reruns exactly
the stages that use it, whatever the files' times. The hash is taken over the syntax tree without
docstrings, so that comments, docstrings and formatting rerun nothing. <room>/settings.py is left
out: every value of the settings is in the spec, and a range or a description changes no result.
Dynamic imports are refused, since they would be missed; data files read by path must be inputs of
the rule.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

# What imports a module whose name is not known before it runs.
DYNAMIC = {"__import__", "import_module"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def _module(path: Path, text: str, root: Path) -> tuple[bytes, frozenset[Path]]:
    """Of the module `path`, of content `text`: what is hashed, and what it imports under `root`.

    Programs share modules: each is parsed and walked through once, not once a program.
    """
    tree = ast.parse(text, str(path))
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.parent.relative_to(root).parts
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([base] if base else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        elif getattr(node, "id", getattr(node, "attr", None)) in DYNAMIC:
            raise ValueError(f"{path}:{node.lineno}: a dynamic import is not seen by the code hash")
    return ast.unparse(tree).encode(), frozenset(_files(names, root))


def _files(names: Iterable[str], root: Path) -> Iterator[Path]:
    """The files under `root` that importing these dotted names runs, packages on the way too."""
    split = [name.split(".") for name in names]
    prefixes = {tuple(parts[:end]) for parts in split for end in range(1, len(parts) + 1)}
    for prefix in prefixes:
        target = root.joinpath(*prefix)
        for file in (target.with_suffix(".py"), target / "__init__.py"):
            if file.is_file():
                yield file


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def code_files(root: Path, program: str) -> tuple[Path, ...]:
    """Every file under `root` that a program is made of, sorted: itself, packages, imports.

    program: what follows `python -m`, such as gpt.train.
    """
    seen: set[Path] = set()
    todo = set(_files([program], root))
    while todo:
        path = todo.pop()
        # pipeline/settings.py does more than hold settings: it reads the command line.
        if path not in seen and (path.name != "settings.py" or path.parent.name == "pipeline"):
            seen.add(path)
            todo |= _module(path, _text(path), root)[1]
    return tuple(sorted(seen))


@cache
def code_hash(root: Path, program: str) -> str:
    """16 hex digits over the syntax trees of `code_files(root, program)`, docstrings left out."""
    digest = sha256()
    for path in code_files(root, program):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(_module(path, _text(path), root)[0] + b"\0")
    return digest.hexdigest()[:16]
