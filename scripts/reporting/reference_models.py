"""results/reference/models: the small models of the standard run, for use without a training.

A model is in models/<its folder in the run>/model.safetensors, with all that its use needs in the
header, and its sha256 in models/SHA256SUMS. Matrices are in half precision, which halves the file;
vectors (norms, biases, running variances) keep theirs, since they are short and may be too large
or too small for it. The same weights give the same file, so that only a new model changes one.
Beside them is examples.npz, the test examples with which `nn play reference` begins.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from mlp.stored_model import read_state
from pipeline.atomic import replacing, write_json, write_npz, write_text
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from pipeline.read_json import read_json
from play.examples import KEPT, examples
from reporting import reference

OF = "standard"  # the run
# The ones that matter most first: what does not fit any more is left out.
MODELS = (
    "gpt/tinystories/seed1",
    "mlp/plain/seed1",
    "seq2seq/seed1",
    "dna/gue/prom_core_tata/seed1",
    "vision/fast_cnn/seed1",
    "dna/statlog_dna/seed1",
)
LIMIT = 8_000_000  # bytes of all of them: the folder goes into the repository
PROCESSED = Path("data/processed")
SUMS = "SHA256SUMS"


def content(folder: Path) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of a trained model in its folder of a run, and the JSON that describes it."""
    if (path := folder / "model.npz").exists():
        state, stored = read_state(path)
        return state, json.dumps({"room": "mlp", **stored.model_dump(mode="json")}, sort_keys=True)
    with safe_open(folder / "model.safetensors", "numpy") as opened:
        about = (opened.metadata() or {}).get("about")
        if about is None:
            raise InputError(f"{folder}: weights that do not say of which model they are: train it")
        return {name: opened.get_tensor(name) for name in opened.keys()}, about  # noqa: SIM118


def halved(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays, float matrices among them (two axes or more) in half precision."""
    return {
        name: array.astype(np.float16) if array.ndim > 1 and array.dtype == np.float32 else array
        for name, array in state.items()
    }


def take_models(run: Path, out: Path) -> None:
    """Write the small models of `run`, if it is the standard run, and note them in the manifest.

    Only rooms whose results in `out` are those of this run, finished when it finished, are taken.
    """
    if run.name != OF:
        return
    there, manifest = out / "models", reference.read(out)
    kept = reference.finished(manifest, run.name).items()
    rooms = {
        room for room, _ in read_json(run / "manifest.json", ["rooms"])["rooms"].items() & kept
    }
    paths, left = [], LIMIT
    for name in MODELS:
        path, is_new = there / name / "model.safetensors", name.split("/")[0] in rooms
        found, beside = None, path.with_name(KEPT)
        if is_new and (run / name).is_dir():
            state, about = content(run / name)
            made = save(halved(state), metadata={"about": about})
            found = examples(run / name, json.loads(about), PROCESSED)
        elif path.exists():
            made = path.read_bytes()
        else:
            continue
        if len(made) > left:
            print(f"{name}: {len(made):,} bytes do not fit into the {LIMIT:,} of {there}")
            path.unlink(missing_ok=True)
            beside.unlink(missing_ok=True)
            continue
        left -= len(made)
        paths.append(path)
        with replacing(path) as temporary:
            temporary.write_bytes(made)
        if is_new:
            beside.unlink(missing_ok=True)
        if found:
            write_npz(beside, x=found[0], y=found[1])
        if beside.exists():
            paths.append(beside)
            left -= beside.stat().st_size
    paths.sort()
    sums = [f"{file_sha256(path)}  {path.relative_to(there).as_posix()}\n" for path in paths]
    if paths:
        write_text(there / SUMS, "".join(sums))
    manifest["others"] = [
        {
            "path": path.relative_to(out).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in [*there.glob(SUMS), *paths]
    ]
    write_json(out / "manifest.json", manifest)
