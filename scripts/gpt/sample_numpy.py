"""Let the GPT by hand write: a continuation of each prompt, by numpy_nn.gpt.sample."""

import numpy as np

from gpt.numpy_model import load, title
from gpt.settings import NumpySampleSpec
from gpt.tokenizer import load_tokenizer
from numpy_nn.gpt import sample
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from raw.prepared import load_json

INPUTS = {
    "weights": "model.npz",
    "tokenizer": "tokenizer.json",
    "meta": "meta.json of the text",
}
# What gpt.sample can do besides, and this program leaves out.
LEFT_OUT = {"top_p": None, "min_p": None, "repetition_penalty": 1.0}


def main() -> None:
    args = settings.arguments(__doc__, NumpySampleSpec, INPUTS, {"out": "samples.json"})
    spec, model = args.spec, load(args.weights)
    tokenizer = load_tokenizer(args.tokenizer)
    meta = load_json(args.meta, ("dataset", "stand_in"))
    end = tokenizer.separator
    way = {"temperature": spec.temperature, "top_k": spec.top_k}
    samples = []
    for seed, prompt in enumerate(spec.prompts, spec.seed):
        begun = [] if end is None else [end]
        given = [*begun, *tokenizer.encode(prompt, f"prompt {prompt[:40]!r}")]
        if not given:
            raise InputError("prompts: '' needs a text of stories, where a separator begins one")
        rng = np.random.default_rng(seed)
        (drawn,) = sample(model, np.array([given]), spec.max_new_tokens, rng, **way).tolist()
        written = drawn[len(given) :]
        written = written[: written.index(end)] if end in written else written
        text = tokenizer.decode(given[len(begun) :] + written)
        samples.append({"prompt": prompt, "text": text, **way, **LEFT_OUT, "seed": seed})
        print(f"--- seed {seed}\n{text}\n", flush=True)
    about = {"task": "language_modelling", "dataset": meta["dataset"], "model": title(model)}
    about |= {"stand_in": meta["stand_in"], "samples": samples, "implementation": "numpy"}
    about["note"] = "unedited; one sample of each prompt, none chosen by hand"
    about |= {"judged": 0, "accepted_share": None, "quality": []}
    write_json(args.out, about)


if __name__ == "__main__":
    settings.run(main)
