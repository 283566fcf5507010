"""How long a training step of Part 1 takes beside its peers, as Markdown, read from a benchmark."""

from pathlib import Path

from reporting.benchmarks import read_benchmark

NEEDED = ("peer", "batch_size", "ours_ms", "peer_ms", "ratio", "matmul_share")


def read(path: Path) -> list[dict]:
    """The rows of benchmarks/mlp_step.py's CSV. Raises InputError if it lacks one of NEEDED."""
    return read_benchmark(path, NEEDED, "make bench-mlp")


def milliseconds(text: str) -> str:
    value = float(text)
    return (
        f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"
    )


def markdown(rows: list[dict]) -> list[str]:
    """A table, one line per peer and batch size, and a paragraph on what its ratio means.

    If OpenBLAS was measured with several kernels, a column names them.
    """
    kernels = list(dict.fromkeys(row.get("blas_kernel") or "" for row in rows))
    several = len(kernels) > 1
    lines = [
        "| beside |" + " OpenBLAS kernels |" * several + " batch | NumPy, ours | the peer | ratio"
        " | of ours in matrix products |",
        "|---|" + "---|" * several + "---:|---:|---:|---:|---:|",
    ]
    last = None
    for row in sorted(rows, key=lambda row: kernels.index(row.get("blas_kernel") or "")):
        group = (row["peer"], row.get("blas_kernel") or "")
        share = f"{100 * float(row['matmul_share']):.0f} %" if row["matmul_share"] else ""
        cells = (
            *(group if group != last else ("", ""))[: 1 + several],
            row["batch_size"],
            milliseconds(row["ours_ms"]),
            milliseconds(row["peer_ms"]),
            f"**{float(row['ratio']):.3f}**",
            share,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        last = group
    return [*lines, "", note(rows, several)]


def note(rows: list[dict], several: bool) -> str:
    """What the ratio means, what it was here, how and where it was measured."""
    ratios = [float(row["ratio"]) for row in rows]
    verdict = f"here between {min(ratios):.3f} and {max(ratios):.3f}"
    verdict += ", so NumPy is ahead everywhere" if max(ratios) < 1 else ""
    first = rows[0]
    parts = (
        ("blocks", "medians of {} alternating blocks"), ("threads", "{} thread"),
        ("processor", "{}"), ("blas_kernel", "OpenBLAS kernels: {}"), ("commit", "commit `{}`"),
        ("numpy", "NumPy {}"), ("torch", "PyTorch {}"), ("scikit-learn", "scikit-learn {}"),
    )  # fmt: skip
    in_column = {"blas_kernel"} if several else set()
    machine = ", ".join(
        text.format(first[key]) for key, text in parts if first.get(key) and key not in in_column
    )
    pinned = (
        " OpenBLAS, which NumPy and scikit-learn share, chooses its matrix kernels by the"
        " processor; OPENBLAS_CORETYPE pins them to those of another one. PyTorch has its own BLAS."
    )
    return (
        "The ratio is our time over the peer's: below 1 the NumPy code is faster, and at 0.75 it"
        f" needs three quarters of the peer's time; {verdict}.{pinned if several else ''}"
        f" The net is 784-512-256-10 in float32, timed in one process ({machine})."
        " `make bench-mlp` measures it again, `make readme` writes this table."
    )
