"""Measure the GPT by hand as its twin in PyTorch: the same weights, another implementation."""

from collections.abc import Iterable

import numpy as np

from gpt.evaluate_numpy import INPUTS, rows
from gpt.numpy_model import Window, load, title
from gpt.settings import EvaluateTwinSpec, Shape
from gpt.twin import build_twin, to_torch
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.torch_setup import setup
from torch_nn.perplexity import window_nats


def main() -> None:
    args = settings.arguments(__doc__, EvaluateTwinSpec, INPUTS, {"out": "metrics.json"})
    device = setup(0, args.spec.threads, args.spec.device)
    model = load(args.weights)
    shape = Shape.model_validate({name: getattr(model, name) for name in Shape.model_fields})
    twin = build_twin(shape, model.vocab_size, attention="fused")
    twin.load_state_dict(to_torch(model.state_dict()))
    twin.to(device)

    def measure(windows: Iterable[Window]) -> tuple[np.ndarray, np.ndarray]:
        nats, counts = window_nats(twin, windows)
        return nats.numpy(), counts.numpy()

    found = list(rows(args, model, measure, f"{title(model)}, weights from NumPy", "torch"))
    notes = {"weights from NumPy": "trained in NumPy, evaluated in PyTorch"}
    write_json(args.out, {"rows": found, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
