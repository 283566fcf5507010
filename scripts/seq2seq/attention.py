"""What the decoder looks at while it translates: cross-attention as arrays of attention.npz."""

import numpy as np
import torch
from torch import Tensor

from seq2seq.genetic_code import TARGET_END, decode_frame, decode_protein
from seq2seq.model import lengths
from torch_nn.transformer import Transformer


@torch.no_grad()
def cross_attention(model: Transformer, source: Tensor, tokens: Tensor) -> dict[str, np.ndarray]:
    """Arrays of attention.npz: cross-attention of each decoder layer while it translates one frame.

    source (1, Ts), tokens (1, Tt): the start, then what the model wrote. Query t is the step that
    writes token t + 1, so that its row should point to the codon of that amino acid.
    """
    n = lengths(source)
    model.eval()
    *_, weights = model.forward_with_attention(source, tokens[:, :-1], n)  # (1, H, Tt - 1, Ts) each
    frame = decode_frame(source[0].tolist())
    written = [*decode_protein(tokens[0].tolist())]
    written += ["end"] * (TARGET_END in tokens[0])  # an untrained model may never end
    maps = torch.cat(weights)[:, :, : len(written), : len(frame)]  # (layers, H, Tt, Ts)
    return {
        "weights": maps.cpu().numpy().astype(np.float32),
        "query_tokens": np.array(written),
        "key_tokens": np.array(list(frame)),
        "layer_names": np.array([f"decoder layer {i + 1}" for i in range(len(maps))]),
    }
