"""A text of one's own, a .txt or a folder of them, made one raw file: every document checked."""

import json
from pathlib import Path

from pipeline.atomic import write_text
from pipeline.errors import InputError


def read_document(path: Path) -> str:
    """The text of a UTF-8 file, line ends as \\n, without a byte order mark.

    Raises InputError with file and line if it is no UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        wrong = f"expected UTF-8 text, found the byte 0x{byte:02x}"
        raise InputError(f"{path}, line {line}: {wrong}. Save the file as UTF-8.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_documents(data: Path) -> dict[str, str]:
    """Name -> text of the file `data`, or of every .txt below the folder, empty ones left out.

    Raises InputError if there is no such file or nothing in them, or if one is no UTF-8 text.
    """
    if data.is_dir():
        paths = sorted(path for path in data.rglob("*.txt") if path.is_file())
        if not paths:
            raise InputError(f"{data}: expected .txt files in this folder, found none")
    elif data.is_file() and data.suffix.lower() == ".txt":
        paths = [data]
    else:
        found = f"{data.suffix or 'another'} file" if data.is_file() else "nothing there"
        raise InputError(f"{data}: expected a .txt file or a folder of them, found {found}")
    start = data if data.is_dir() else data.parent
    texts = {path.relative_to(start).as_posix(): read_document(path) for path in paths}
    found = {name: text for name, text in texts.items() if text.strip()}
    if not found:
        raise InputError(f"{data}: expected text, found only empty files or white space")
    return found


def collect(data: Path, target: Path) -> tuple[str, dict]:
    """Write the documents of `data` to `target`, and say what they are.

    Returns a description and the settings that fit these texts: what a sample begins with, and a
    sentence to trace.
    """
    documents = read_documents(data)
    texts, running = [*documents.values()], not data.is_dir()
    if not running and len({*texts}) < 3:
        wrong = f"expected at least 3 different documents, found {len({*texts})}"
        raise InputError(
            f"{data}: {wrong}: put the text into one file, which is split by paragraphs"
        )
    write_text(target, json.dumps({"running": running, "documents": documents}, indent=0) + "\n")
    size, count = sum(map(len, texts)), len(texts)
    kind = "one running text" if running else f"{count:,} documents"
    prompt = "\n" if running else ""
    sentence = texts[0].split("\n\n")[0].strip().replace("\n", " ")[:80]
    return f"{kind}, {size:,} characters", {"sampling": {"prompts": [prompt]}, "sentence": sentence}
