"""The position-wise feed-forward network (Vaswani et al. 2017, section 3.3, eq. 2)."""

from torch import Tensor, nn

from torch_nn.dropout import Dropout

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU}


class FeedForward(nn.Module):
    """FFN(x) = act(x W_1 + b_1) W_2 + b_2, the same for every token: (B, T, C) -> (B, T, C).

    activation: "relu" (the paper) or "gelu" (Hendrycks and Gimpel 2016, as in GPT and BERT).
    dropout: share of act(x W_1 + b_1) set to zero in training.
    """

    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.0, activation: str = "relu"):
        super().__init__()
        self.up_projection = nn.Linear(d_model, d_ff)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = Dropout(dropout)
        self.down_projection = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        hidden = self.activation(self.up_projection(x))  # (B, T, d_ff)
        return self.down_projection(self.dropout(hidden))  # (B, T, C)
