"""An edit of any module changes the code hash of exactly the programs that import it.

The programs are found here another way than in code_hash.py: by the import instructions of the
compiled modules, not by the syntax tree.
"""

import dis
import types
from functools import cache

import code_hash
import pytest

pytestmark = pytest.mark.slow

ROOMS = ("raw", "mlp", "vision", "gpt", "dna", "seq2seq", "reporting", "manifest")
# What the rules and the check of the configuration read, and the tests' own tool.
NO_PROGRAM = {"mlp/plan.py", "mlp/checks.py", "raw/table.py", "reporting/references.py"}
NO_PROGRAM |= {
    "numpy_nn/gradcheck.py",
    "gpt/own_text.py",
    "dna/own_rows.py",
    "dna/own_sequences.py",
}
# Snakemake itself loads it.
PLUGIN = "snakemake_logger_plugin_"
# The cells of notebooks import it: its hash is in their rule's spec.
NO_PROGRAM |= {"reporting/notebook.py"}
# The command line reads them.
NO_PROGRAM |= {f"{room}/stored_model.py" for room in ("mlp", "vision", "seq2seq")}


def imported(path, root):
    """The files under `root` that the compiled module `path` imports by itself."""
    todo = [compile(path.read_text(), str(path), "exec")]
    package = path.relative_to(root).parent.parts
    for code in todo:
        todo += [value for value in code.co_consts if isinstance(value, types.CodeType)]
        before = []
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                names, level = before[-1].argval or (), before[-2].argval
                base = package[: len(package) - level + 1] if level else ()
                module = (*base, *step.argval.split(".")) if step.argval else base
                for parts in (module, *((*module, name) for name in names)):
                    for end in range(1, len(parts) + 1):
                        stem = root.joinpath(*parts[:end])
                        yield from (stem.with_suffix(".py"), stem / "__init__.py")
            before.append(step)


@pytest.fixture(scope="module")
def closures(repository):
    """Program -> every file under scripts/ that it is made of, settings left out."""
    root = (repository / "scripts").resolve()
    direct = {
        path: {file for file in imported(path, root) if file.is_file()}
        for path in sorted(root.rglob("*.py"))
    }
    found = {}
    for program in root.glob("*/*.py"):
        if "settings.run(main)" not in program.read_text():
            continue
        seen, todo = set(), {program, program.with_name("__init__.py")}
        while todo:
            path = todo.pop()
            if path.name == "settings.py" and path.parent.name != "pipeline":
                continue
            seen.add(path)
            todo |= direct[path] - seen
        found[f"{program.parent.name}.{program.stem}"] = seen
    return root, found


def test_each_module_changes_exactly_the_programs_that_import_it(closures, monkeypatch):
    root, found = closures
    real = cache(code_hash._text)
    hashed = code_hash.code_hash.__wrapped__
    before = {program: hashed(root, program) for program in found}
    modules = {path for files in found.values() for path in files}
    assert len(modules) > 80
    wrong = []
    for module in sorted(modules):

        def edited(path, module=module):
            return real(path) + ("\nADDED = 1\n" if path == module else "")

        monkeypatch.setattr(code_hash, "_text", edited)
        changed = {program for program in found if hashed(root, program) != before[program]}
        expected = {program for program, files in found.items() if module in files}
        if changed != expected:
            wrong.append((module.name, changed ^ expected))
    assert wrong == []


def test_every_module_is_used_by_a_program(closures):
    """A module that no program is made of can be changed without any rerun: nobody reads it."""
    root, found = closures
    used = {path for files in found.values() for path in files}
    unused = {str(path.relative_to(root)) for path in set(root.rglob("*.py")) - used}
    unused = {name for name in unused if not name.startswith((PLUGIN, "cli/"))}
    assert unused - NO_PROGRAM - {f"{room}/settings.py" for room in ROOMS} == set()
