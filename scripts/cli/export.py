"""`nn export RUN MODEL out.onnx`: a model of Part 2 for other programs, checked against itself."""

import importlib.util
import io
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from cli.catalogue import fitting, only, room_of
from pipeline.atomic import replacing
from pipeline.errors import InputError
from torch_nn.attention import MultiHeadAttention

NEEDED = ("onnx", "onnxruntime")
TOLERANCE = 1e-4  # of a logit, relative to the largest


def parts(path: Path, room: str) -> tuple[nn.Module, dict[str, Tensor], dict[str, dict[int, str]]]:
    """(the model, an example of its inputs by name, their axes of any length by name)."""
    if room == "gpt":
        from gpt.stored_model import load as load_gpt

        model, tokenizer, stored = load_gpt(path)
        tokens = torch.arange(stored.model.context // 2).expand(2, -1) % tokenizer.vocab_size
        axes = {0: "batch", 1: "time"}
        return model, {"tokens": tokens}, {"tokens": axes, "logits": axes}
    if room == "seq2seq":
        from seq2seq.stored_model import load as load_seq2seq

        model, about = load_seq2seq(path)
        source = torch.arange(about.source_length).expand(2, -1) % 4
        target = torch.arange(about.source_length // 3).expand(2, -1) % 20
        letters, acids = {0: "batch", 1: "letters"}, {0: "batch", 1: "acids"}
        axes = {"source": letters, "target": acids, "logits": acids}
        return model, {"source": source, "target": target}, axes
    if room == "vision":
        from vision.stored_model import load as load_vision

        model, pictures = load_vision(path)
        images = torch.rand(2, *pictures.image_shape) * 255
        return model, {"images": images}, dict.fromkeys(("images", "logits"), {0: "batch"})
    if room == "dna":
        from dna.stored_model import load as load_dna

        model, sequences = load_dna(path)
        tokens = torch.arange(sequences.length).expand(2, -1) % 4
        return model, {"tokens": tokens}, dict.fromkeys(("tokens", "logits"), {0: "batch"})
    raise InputError(f"{path}: expected a model of PyTorch, found one of {room}, which is NumPy's")


def onnx_of(model: nn.Module, inputs: dict[str, Tensor], axes: dict[str, dict]) -> bytes:
    """The model as ONNX: what it does with these inputs, for any length of `axes`."""

    written = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        # The tracer, not torch.export: the models look at their inputs in Python.
        torch.onnx.export(
            model,
            tuple(inputs.values()),
            written,
            dynamo=False,
            input_names=list(inputs),
            output_names=["logits"],
            dynamic_axes=axes,
        )
    return written.getvalue()


def largest_difference(content: bytes, model: nn.Module, inputs: dict[str, Tensor]) -> float:
    """Of a logit in onnxruntime from the model's own, relative to the largest logit."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    wanted = model(*inputs.values()).detach()
    return float((torch.from_numpy(found) - wanted).abs().max() / wanted.abs().max())


def main(run: str, name: str, out: Path) -> None:
    """Write the model to `out`. Raises InputError if onnxruntime finds other logits."""
    if missing := [package for package in NEEDED if not importlib.util.find_spec(package)]:
        raise InputError(f"export needs more packages: .venv/bin/pip install {' '.join(missing)}")
    chosen = only(fitting(run, ["gpt", "vision", "dna", "seq2seq", "mlp"], name))
    model, inputs, axes = parts(chosen.path, room_of(chosen.path))
    model.eval()
    for module in model.modules():
        if isinstance(module, MultiHeadAttention):
            module.fused = True  # its mask fits any length; the explicit one is of the example's
    try:
        content = onnx_of(model, inputs, axes)
    except Exception as error:  # the exporter documents no closed list of what it raises
        found = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{chosen.name}: torch.onnx cannot write it: {found}") from None
    shorter = {
        key: tensor[:1, : max(1, tensor.size(1) - 2)] if 1 in axes[key] else tensor[:1]
        for key, tensor in inputs.items()
    }
    found = max(largest_difference(content, model, each) for each in (inputs, shorter))
    if not found <= TOLERANCE:
        raise InputError(f"{chosen.name}: onnxruntime differs by {found:.1e} of the largest logit")
    with replacing(out) as temporary:
        temporary.write_bytes(content)
    print(f"{chosen.name} -> {out}: onnxruntime agrees within {found:.0e} of the largest logit")
