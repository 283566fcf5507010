"""`nn write RUN`: a language model writes, token by token, as it is drawn."""

import random
import sys

import torch

from cli.catalogue import fitting
from cli.tables import show_json
from gpt.model import title
from gpt.sample import write
from gpt.settings import Way
from gpt.stored_model import load
from gpt.tokenizer import Tokenizer


class Stream:
    """Prints what tokens spell, each character as soon as it is whole: some are several tokens."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer, self.shown = tokenizer, ""
        self.tokens: list[int] = []

    def __call__(self, column: torch.Tensor) -> None:
        """column (1,): the next token of the one text that is written."""
        token = int(column)
        if token != self.tokenizer.separator:
            self.tokens.append(token)
            self.show(self.tokenizer.decode(self.tokens).rstrip("\N{REPLACEMENT CHARACTER}"))

    def show(self, text: str) -> None:
        """Print what of `text` is not there yet."""
        print(text[len(self.shown) :], end="", flush=True)
        self.shown = text


def main(
    run: str,
    prompt: str | None,
    name: str | None,
    tokens: int,
    way: Way,
    seed: int | None,
    as_json: bool,
) -> None:
    """Print a text, or a record of it. Of several models the largest writes.

    prompt: None for a story of its own, or a new line where the training text has no stories; seed:
    None for a new one.
    """
    found = fitting(run, ["gpt"], name, suffix=".safetensors")
    chosen = max(found, key=lambda model: model.path.stat().st_size)
    torch.set_num_threads(1)  # the quickest for one token at a time, and the same text everywhere
    model, tokenizer, about = load(chosen.path)
    prompt = prompt or ("" if tokenizer.separator is not None else "\n")
    tokenizer.encode(prompt, "--prompt")  # complains before anything is printed
    if seed is None:
        seed = random.SystemRandom().randrange(2**31)
    told = None if as_json else Stream(tokenizer)
    if told:
        print(
            f"{chosen.name}: {title(about.model)} on {about.title}, --seed {seed}\n",
            file=sys.stderr,
        )
        print(prompt, end="", flush=True)
    (text,) = write(model, tokenizer, [prompt], way, tokens, [seed], told)
    if told:
        told.show(text.text[len(prompt) :])
        print()
        return
    settings = {**way.model_dump(), "tokens": tokens, "seed": seed}
    show_json({"model": chosen.name, "prompt": prompt, **settings, **text._asdict()})
