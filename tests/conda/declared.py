"""What the repository says of its environments: their packages, their rules, their imports."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from code_hash import code_files
from conda_names import PYPI_NAME
from packaging.specifiers import SpecifierSet

ENVIRONMENTS = ("data", "numpy", "torch", "report", "notebook")
# The name to import -> PyPI's, where they differ.
IMPORT_NAME = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "IPython": "ipython",
    "markdown_it": "markdown-it-py",
}


def packages(repository: Path, environment: str) -> dict[str, SpecifierSet]:
    """PyPI's name -> version range of what an environment asks for, `python` too."""
    text = (repository / "envs" / f"{environment}.yaml").read_text()
    found = {}
    for dependency in yaml.safe_load(text)["dependencies"]:
        package, _, versions = dependency.partition(" ")
        found[PYPI_NAME.get(package, package)] = SpecifierSet(versions)
    return found


def rules(repository: Path) -> Iterator[tuple[str, str, str, str]]:
    """(rule file, rule, program, environment) of every rule that calls a program.

    A rule whose name is computed has none here: "". One without an environment: "".
    """
    for path in sorted((repository / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"^ *rule\b", path.read_text(), flags=re.M)[1:]:
            program = re.search(r"python -m ([\w.]+)", rule)
            environment = re.search(r'envs/(\w+)\.yaml"', rule)
            where = environment[1] if environment else ""
            if program:
                yield path.name, rule.partition(":")[0].strip(), program[1], where


def imports(repository: Path, program: str) -> Iterator[tuple[str, str, str]]:
    """(file, module, PyPI's name) of all that a program imports from outside the repository."""
    scripts = repository / "scripts"
    for path in code_files(scripts, program):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            else:
                continue
            for module in modules:
                top = module.split(".")[0]
                ours = (scripts / top).exists() or (scripts / f"{top}.py").exists()
                if top not in sys.stdlib_module_names and not ours:
                    yield path.name, module, IMPORT_NAME.get(top, top)
