"""What is fuzzed: each reader of data from outside, its documented error, and seeds to start from.

A reader is a function of bytes. Seeds are small valid inputs, made here, so that mutations reach
past the first check.
"""

import csv
import gzip
import io
import json
import pickle
import pickletools
import struct
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import check_yaml
import numpy as np
import yaml
from configuration import ConfigurationError, check_config, load_table
from pydantic import Field

from dna.own_file import read_collected
from dna.own_sequences import collect
from dna.sequences import read_labelled_csv
from dna.statlog import read_statlog
from gpt.corpora import read_corpus
from gpt.token_windows import load_tokens
from gpt.tokenizer import BytePairTokenizer, CharacterTokenizer, load_tokenizer
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.history import read_histories
from pipeline.settings import Settings, read_spec
from raw.archive import extract_members
from raw.idx import read_idx
from raw.image_data import load_meta, load_part
from raw.images import read_cifar10_batch
from raw.restricted_unpickle import parse_pickle
from raw.table import Table
from reporting.references import References

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Reader:
    """read(data, folder): parse `data`, in `folder` if it has to be a file.

    refusal: the exceptions that the reader documents; nothing else may come out of it.
    weight: its share of the inputs; slow parsers get fewer.
    """

    name: str
    read: Callable[[bytes, Path], object]
    seeds: list[bytes]
    refusal: type[Exception] = InputError
    weight: float = 1.0


def in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """A reader of paths as a reader of bytes."""

    def through_file(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return read(path)

    return through_file


class Inner(Settings):
    width: int = Field(4, ge=1)
    kind: str = "relu"


class Spec(Settings):
    """Settings of every kind that the programs use."""

    lr: float = Field(0.1, gt=0)
    layers: list[int] = [8]
    inner: Inner = Inner()
    ways: list[Inner] = []
    sums: dict[str, Inner] = {}
    name: str | None = None


def idx_seeds() -> list[bytes]:
    plain = struct.pack(">BBBBII", 0, 0, 8, 2, 2, 3) + bytes(range(6))
    floats = struct.pack(">BBBBI", 0, 0, 0x0D, 1, 2) + bytes(8)
    huge = struct.pack(">BBBBIII", 0, 0, 8, 3, 2**20, 2**10, 2**10)
    return [plain, floats, huge, gzip.compress(plain, mtime=0), gzip.compress(huge, mtime=0)]


def of_python2(data: bytes) -> bytes:
    """A pickle of protocol 3 with the opcodes that Python 2 wrote for strings, as CIFAR-10 has."""
    old = bytearray(data)
    for opcode, _, position in pickletools.genops(data):
        if opcode.name in ("SHORT_BINBYTES", "BINBYTES"):
            old[position] = ord("U" if opcode.name == "SHORT_BINBYTES" else "T")
    old[1] = 2
    return bytes(old).replace(b"numpy._core", b"numpy.core")


def pickle_seeds() -> list[bytes]:
    values = [
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": [3], b"batch_label": b"one"},
        {b"data": np.arange(6, dtype=np.uint8).reshape(2, 3), b"labels": [1, 2]},
        {b"label_names": [b"cat", b"dog"], b"num": 10_000, "n": None, "t": (1.5, True, {})},
        [np.zeros(3, ">i4"), np.asfortranarray(np.ones((2, 2), np.float32))],
    ]
    new = [pickle.dumps(value, 3) for value in values]
    return [*new, *map(of_python2, new), pickle.dumps(values[1], 2), pickle.dumps(values[1], 5)]


def tar_seeds() -> list[bytes]:
    made = []
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        for form in (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode=mode, format=form) as archive:
                for name in ("d/one", "d/" * 50 + "n" * 60, "ünï"):
                    info = tarfile.TarInfo(name)
                    info.size = 4
                    archive.addfile(info, io.BytesIO(b"1234"))
            made.append(out.getvalue())
    return made


def read_tar(data: bytes, folder: Path) -> None:
    path = folder / "a.tar"
    path.write_bytes(data)
    extract_members(path, {"d/one": (folder / "out" / "one", 4)})
    strangers = {p.name for p in folder.rglob("*")} - {"a.tar", "out", "one"}
    assert not strangers, f"written beside the wanted member: {strangers}"


def own_seeds() -> list[bytes]:
    rows = [("a", "ACGTACGT", "on", "train"), ("b", "ttgaRUnn", "off", "train")]
    rows += [("c", "GGGG", "on", "val"), ("d", "CC", "off", "test")]
    table = "\r\n".join(map(",".join, [("id", "sequence", "label", "split"), *rows])).encode()
    fasta = "".join(f">{name} label={label}\n{x}\n" for name, x, label, _ in rows).encode()
    return [table, table.replace(b",", b"\t"), fasta, gzip.compress(table, mtime=0)]


def collect_own(data: bytes, folder: Path) -> None:
    path = folder / ("own.csv.gz" if data[:2] == b"\x1f\x8b" else "own.csv")
    path.write_bytes(data)
    collect(path, folder / "collected")
    read_collected(folder / "collected")


def csv_seeds() -> list[bytes]:
    rows = [["sequence", "label"], ["ACGTN", "0"], ["ttga", "1"]]
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return [out.getvalue().encode(), b'sequence,label\n"AC\nGT",0\n', b"sequence,label\nA,1\n"]


def rda_seeds() -> list[bytes]:
    """R data in XDR, written by hand: a small list `DNA` of integers, strings and attributes.

    R Internals, section 1.8: a type and flag word, then length and values, big-endian.
    """

    def word(*values: int) -> bytes:
        return struct.pack(f">{len(values)}i", *values)

    def text(value: bytes) -> bytes:
        return word(0x00040009, len(value)) + value

    def attribute(name: bytes, value: bytes) -> bytes:
        return word(0x402, 1) + text(name) + value

    def table(bits: int, rows: int) -> bytes:
        """A data frame DNA of `bits` columns of 0 and the column Class."""
        names = (
            word(16, bits + 1)
            + b"".join(text(f"V{i}".encode()) for i in range(bits))
            + text(b"Class")
        )
        columns = word(13, rows, *[0] * rows) * bits + word(16, rows) + text(b"ei") * rows
        about = attribute(b"names", names) + attribute(b"row.names", word(13, 2, -(2**31), -rows))
        about += attribute(b"class", word(16, 1) + text(b"data.frame")) + word(254)
        return head + attribute(b"DNA", word(0x313, bits + 1) + columns + about) + word(254)

    head = b"RDX2\nX\n" + word(2, 0x030402, 0x020300)
    plain, whole = table(1, 2), table(180, 2001)
    return [*[plain] * 9, *[gzip.compress(t, mtime=0) for t in (plain, whole)], head + word(254)]


def text_seeds() -> list[bytes]:
    story = "Once upon a time there was a small dog. It ran to the park. " * 5
    return [
        (story + "\n").encode() * 3,
        "“Hi” – said the cat…\n<|endoftext|>\nâ€œOnceâ€\x9d upon\n\nOnce more\n".encode() * 4,
        json.dumps({"texts": [story, "The end."]}).encode(),
        b"First Citizen:\nSpeak.\n\n" * 20,
    ]


def read_text(data: bytes, folder: Path) -> None:
    """All corpora on the same bytes: their number chooses which."""
    which = ("tinyshakespeare", "tinystories", "grammar_stories")[len(data) % 3]
    names = ("v1_train_first1000.txt", "v2gpt4_train_first10000lines.txt", "v1_valid_prefix.txt")
    paths = [folder / name for name in (*names, "subset3000.json", "input.txt")]
    if which == "grammar_stories":
        paths = paths[:1]
    for path in paths:
        path.write_bytes(data)
    if len(data) % 4 and len(paths) > 3:
        paths[3].write_bytes(b'{"texts": ["Once there was a cat."]}')
    read_corpus(which, paths, 0.1, 0)


def tokenizer_seeds(folder: Path) -> list[bytes]:
    CharacterTokenizer.train(["abc é"], separator=True).save(folder / "c.json")
    BytePairTokenizer.train(["the cat and the dog"] * 3, 262).save(folder / "b.json")
    small = json.loads((folder / "b.json").read_text(encoding="utf-8"))
    return [(folder / "c.json").read_bytes(), json.dumps(small).encode()]


def read_tokenizer(path: Path) -> None:
    tokenizer = load_tokenizer(path)
    assert tokenizer.vocab_size >= 0


def yaml_seeds() -> list[bytes]:
    config = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))
    parts = [yaml.safe_dump({key: value}).encode() for key, value in config.items()]
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)
    )
    return [
        *parts,
        f"{laughs}run: *a39\n".encode(),
        b"a: &x [1, 2]\nb: *x\n",
        b"run: !!python/name:os.system\n",
        b"? {a: 1}\n: b\n",
    ]


DATASETS = load_table(REPOSITORY / "config" / "datasets.yaml", Table)
CONFIG = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text(encoding="utf-8"))


def read_config(data: bytes, folder: Path) -> None:
    """check_yaml.py says what is no YAML; what is YAML is merged over config.yaml and checked."""
    path = folder / "change.yaml"
    path.write_bytes(data)
    line = check_yaml.problem(path)
    if line:
        assert "\n" not in line
        raise ConfigurationError(line)
    change = yaml.safe_load(data)
    check_config({**CONFIG, **change}, DATASETS)


def read_table(data: bytes, folder: Path) -> None:
    path = folder / "references.yaml"
    path.write_bytes(data)
    load_table(path, References)


def table_seeds() -> list[bytes]:
    table = yaml.safe_load((REPOSITORY / "config/references.yaml").read_text(encoding="utf-8"))
    if isinstance(table, dict):
        short = {k: v[:2] if isinstance(v, list) else v for k, v in table.items()}
    else:
        short = table[:2]
    return [yaml.safe_dump(short).encode()[:2000], *yaml_seeds()[-4:]]


def spec_seeds() -> list[bytes]:
    full = {"lr": 0.5, "layers": [4, 2], "inner": {"width": 3, "kind": "gelu"}, "code": "ab"}
    full |= {"ways": [{"width": 1}], "sums": {"a/b": {"width": 2}}, "name": "x"}
    return [json.dumps(full).encode(), b"{}", b'{"inner": {"widht": 1}}', b"@nothing.json"]


def npz_seed(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def npz_seeds() -> list[bytes]:
    images = np.zeros((2, 2, 2), np.uint8)
    return [
        npz_seed(train_x=images, train_y=np.array([0, 1])),
        npz_seed(train_x=images[..., None].repeat(3, 3), train_y=np.array([1, 1])),
        npz_seed(train_x=images).replace(b"(2, 2, 2)", b"(2, 2, 9)"),
    ]


def read_checkpoint(data: bytes, folder: Path) -> None:
    """A checkpoint that is damaged is None, not an error."""
    checkpoint = Checkpoint(folder / "checkpoint", "key")
    checkpoint.path.write_bytes(data)
    if checkpoint.load() is None:
        raise InputError("not a checkpoint")


def checkpoint_seeds(folder: Path) -> list[bytes]:
    checkpoint = Checkpoint(folder / "made", "key")
    checkpoint.save({"w": np.arange(3.0)}, {"step": 1})
    return [checkpoint.path.read_bytes()]


def npy_seeds() -> list[bytes]:
    out = io.BytesIO()
    np.save(out, np.arange(20, dtype=np.uint16))
    return [out.getvalue(), out.getvalue().replace(b"(20,)", b"(99,)")]


def readers(folder: Path) -> list[Reader]:
    """Every reader; `folder`: where seeds that have to be files are made."""
    meta = {"dataset": "x", "classes": ["a", "b"], "data_sha256": "0", "vocab_size": 9}
    pickles = pickle_seeds()
    return [
        Reader("idx", in_file("x.gz", read_idx), idx_seeds(), weight=2),
        Reader("pickle", lambda data, _: parse_pickle(data, "p"), pickles, weight=4),
        Reader("cifar_batch", in_file("data_batch_1", read_cifar10_batch), pickles),
        Reader("tar", read_tar, tar_seeds()),
        Reader("own_sequences", collect_own, own_seeds()),
        Reader("gue_csv", in_file("train.csv", read_labelled_csv), csv_seeds(), weight=2),
        Reader("statlog_rda", in_file("DNA.rda", read_statlog), rda_seeds(), weight=0.5),
        Reader("text", read_text, text_seeds(), weight=0.5),
        Reader("tokenizer", in_file("t.json", read_tokenizer), tokenizer_seeds(folder)),
        Reader("config", read_config, yaml_seeds(), ConfigurationError, weight=0.2),
        Reader("table", read_table, table_seeds(), ConfigurationError, weight=0.2),
        Reader("spec", lambda data, _: read_spec(data.decode("utf-8", "surrogateescape"), Spec),
               spec_seeds(), weight=4),
        Reader("images_npz", in_file("i.npz", lambda path: load_part(path, "train", 2)),
               npz_seeds()),
        Reader("tokens_npy", in_file("t.npy", lambda path: load_tokens(path, 4)), npy_seeds()),
        Reader("meta_json", in_file("m.json", load_meta), [json.dumps(meta).encode()]),
        Reader("history_json", in_file("h.json", lambda path: read_histories([path], [path])),
               [b'{"parameters": 3, "seconds": 1.5, "train_flops": 4, "provenance": {}}']),
        Reader("checkpoint", read_checkpoint, checkpoint_seeds(folder), weight=0.5),
    ]  # fmt: skip
