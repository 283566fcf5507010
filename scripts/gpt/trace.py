"""Trace a trained GPT on one sentence: its attention weights, and its table of positions."""

import numpy as np
import torch

from gpt.model import title
from gpt.settings import TraceSpec
from gpt.stored_model import MODEL_INPUTS, load
from pipeline import settings
from pipeline.atomic import write_npz
from pipeline.torch_setup import setup
from torch_nn.eval_mode import evaluating
from torch_nn.positions import sinusoidal_table


def main() -> None:
    outputs = {"attention": "attention.npz", "positions": "positions.npz"}
    args = settings.arguments(__doc__, TraceSpec, MODEL_INPUTS, outputs)
    spec = args.spec
    model, tokenizer, about = load(args.weights, setup(0, spec.threads, spec.device))
    shape = about.model
    tokens = tokenizer.encode(spec.sentence, "sentence")[: shape.context]
    read = torch.tensor([tokens], device=next(model.parameters()).device)  # (1, T)
    with evaluating(model):
        _, weights = model.forward_with_attention(read)
    names = np.array([tokenizer.decode([token]) for token in tokens])
    write_npz(
        args.attention,
        weights=torch.cat(weights).cpu().float().numpy(),  # (layers, H, T, T)
        query_tokens=names,
        key_tokens=names,
        title=np.array(f"{title(shape)}, {about.title}"),
        layer_names=np.array([f"layer {number + 1}" for number in range(shape.n_layers)]),
    )
    if shape.architecture == "gpt-2":
        tables = {"sinusoidal": sinusoidal_table(shape.context, shape.d_model).numpy()}
    else:  # the angles by which a head's queries and keys are turned
        tables = {"rotary": sinusoidal_table(shape.context, shape.d_model // shape.n_heads).numpy()}
    if shape.architecture == "gpt-2" and shape.positions == "learned":
        tables["learned"] = model.positions.embedding.weight.detach().cpu().numpy()
    write_npz(args.positions, **tables)
    print(f"attention over {len(tokens)} tokens, {shape.n_layers} layers")


if __name__ == "__main__":
    settings.run(main)
