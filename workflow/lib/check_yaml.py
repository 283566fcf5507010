"""Say where a configuration file is not YAML, which Snakemake's own message leaves out.

python workflow/lib/check_yaml.py FILE...
"""

import sys
from pathlib import Path

import yaml


def problem(path: Path) -> str | None:
    """One line with file, line and column of what is not YAML or no mapping, or None."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return f"{path}:{mark.line + 1}:{mark.column + 1}: not YAML: {error.problem}"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return f"{path}: cannot be read as YAML: {' '.join(str(error).split())}"
    if not isinstance(value, dict):
        return f"{path}: expected keys with values, found {type(value).__name__}"
    return None


if __name__ == "__main__":
    found = [line for line in map(problem, map(Path, sys.argv[1:])) if line]
    sys.exit("\n".join(f"error: {line}" for line in found) or 0)
