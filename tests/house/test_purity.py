"""The floors of the house: what may import what."""

import ast
import sys


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if not node.level else ""


def strangers(folder, allowed):
    return [
        f"{path.name}: {name}"
        for path in folder.rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | allowed | {folder.name, ""}
    ]


def test_part_1_is_numpy_alone(repository):
    assert strangers(repository / "scripts" / "numpy_nn", {"numpy"}) == []


def test_part_2_is_torch_alone(repository):
    assert strangers(repository / "scripts" / "torch_nn", {"torch"}) == []


BORROWED = {
    "Transformer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "MultiheadAttention",
    "scaled_dot_product_attention",
    "RMSNorm",
    "rms_norm",
}


def test_what_the_project_builds_itself_is_not_borrowed(repository):
    """Attention and the Transformer's blocks are written out; PyTorch's are the tests' oracle. One
    place offers its kernel instead, `fused_attention`."""
    borrowed = []
    for path in (repository / "scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in BORROWED:
                owner = ast.unparse(node.value)
                if owner.startswith(("nn", "torch", "F", "functional")):
                    borrowed.append((path.name, node.attr))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("torch."):
                borrowed += [
                    (path.name, alias.name) for alias in node.names if alias.name in BORROWED
                ]
    assert borrowed == [("attention.py", "scaled_dot_product_attention")]


def test_nothing_is_unpickled_but_through_restricted_readers(repository):
    """Ours, and PyTorch's with weights_only=True."""
    for path in (repository / "scripts").rglob("*.py"):
        if path.name == "restricted_unpickle.py":
            continue
        assert not {"pickle", "dill", "joblib", "shelve", "marshal"} & set(imports(path)), path
        assert "allow_pickle=True" not in path.read_text(), path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert "weights_only=True" in map(ast.unparse, node.keywords), path


def test_no_program_reads_a_file_beside_it(repository):
    """What it reads by a path of its own would be no input, and rerun nothing when it changes."""
    for path in (repository / "scripts").rglob("*.py"):
        # provenance.py asks git there for the commit; no rule's program imports tables.py.
        assert path.name in ("provenance.py", "tables.py") or "__file__" not in path.read_text(), (
            path
        )
        assert not {"runpy", "pkgutil"} & set(imports(path)), path
