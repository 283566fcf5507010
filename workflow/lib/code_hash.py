"""The hash of the code that a program is made of: itself and, transitively, what it imports.

It goes into the program's `--spec` and so into the rule's params: an edited module reruns exactly
the stages that use it, whatever the files' times. The hash is taken over the syntax tree without
docstrings, so that comments, docstrings and formatting rerun nothing. Dynamic imports are refused,
since they would be missed; data files read by path must be inputs of the rule.
"""

import ast
from functools import cache
from hashlib import sha256
from pathlib import Path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _imported_names(path: Path, text: str, root: Path) -> tuple[str, ...]:
    """The dotted names that the module `path`, of content `text`, imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.parent.relative_to(root).parts
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([base] if base else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif getattr(node, "id", getattr(node, "attr", "")) in ("__import__", "import_module"):
            raise ValueError(f"{path}:{node.lineno}: a dynamic import is not seen by the code hash")
    return tuple(names)


def _imports(path: Path, root: Path) -> set[Path]:
    """The files under `root` that `path` imports by itself."""
    names = _imported_names(path, _text(path), root)
    found = set()
    for name in names:
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            target = root.joinpath(*parts[:end])
            for file in (target.with_suffix(".py"), target / "__init__.py"):
                if file.is_file():
                    found.add(file)
    return found


@cache
def code_files(root: Path, name: str) -> tuple[Path, ...]:
    """Every file under `root` that the program `root/name` is made of, itself included, sorted."""
    seen: set[Path] = set()
    todo = {root / name}
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo |= _imports(path, root)
    return tuple(sorted(seen))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            value = first.value if isinstance(first, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


@cache
def _canonical(text: str) -> bytes:
    """`text` as it is hashed. Programs share modules: each is parsed once, not once a program."""
    return ast.unparse(_without_docstrings(ast.parse(text))).encode()


@cache
def code_hash(root: Path, name: str) -> str:
    """16 hex digits over the syntax trees of `code_files(root, name)`, docstrings left out."""
    digest = sha256()
    for path in code_files(root, name):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(_canonical(_text(path)) + b"\0")
    return digest.hexdigest()[:16]
