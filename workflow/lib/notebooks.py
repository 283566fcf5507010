"""Which code a page of docs/ imports: what its notebook is made of besides its own text."""

import re
from pathlib import Path

IMPORT = re.compile(r"^ *(?:>>> )?(?:from|import) ([\w.]+)", flags=re.M)


def imported(page: Path, scripts: Path) -> list[str]:
    """The dotted names of the modules under `scripts` that Python blocks of `page` import."""
    names = {*IMPORT.findall(page.read_text(encoding="utf-8"))}
    return sorted(name for name in names if (scripts / name.split(".")[0]).is_dir())
