"""Takes Python's place in a run whose files need no content: makes the outputs of a command line.

Every argument under results/ or data/ that is not there becomes a file with its own name in it; a
folder gets the files that the spec names. So a whole preset is `finished` in seconds, with the
records that Snakemake keeps of a real run, and dry runs on it tell what a change would rerun.
"""

import json
import sys
from pathlib import Path


def outputs(words: list[str]) -> list[Path]:
    """The files that the command `words` is to make."""
    spec = json.loads(words[words.index("--spec") + 1])
    found = [Path("data/raw", name) for name in spec.get("sha256", ())]
    for option, word in zip(words, words[1:] + [""], strict=True):
        path = Path(word)
        if option == "--checkpoint" or not word.startswith(("results/", "data/")):
            continue
        if path.suffix or option == "--snakefile":
            found.append(path)
        elif option == "--figures":
            found += [path / one["kind"] / one["name"] for one in spec["figures"]]
    return found


if __name__ == "__main__":
    for file in outputs(sys.argv[3:]):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{file}\n")
