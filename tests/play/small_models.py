"""Small models with random weights, as the page gets them, and what Python computes by them."""

import json
from base64 import b64decode

import numpy as np
import torch
from tokenizers import Tokenizer

from dna.model import build as build_dna
from dna.model import predict_views
from dna.settings import Model as DNAModel
from dna.settings import Stored as DNAStored
from gpt.model import build as build_gpt
from gpt.settings import Model as GPTModel
from gpt.tokenizer import BytePairTokenizer, CharacterTokenizer
from numpy_nn.mlp import build_mlp
from numpy_nn.standardise import Standardise
from pipeline.atomic import write_json, write_npz
from pipeline.weights import save_weights
from play.arrays import packed_all
from play.exhibits import Model, Source, net_layers, stories, without
from seq2seq import genetic_code as code
from seq2seq.model import build as build_seq2seq
from seq2seq.settings import Model as Seq2SeqModel
from seq2seq.settings import Stored as Seq2SeqStored
from torch_nn.sampling import token_distribution

VOCABULARY, CONTEXT = 23, 12
TEXTS = [
    "It's  two   spaces\n\n and they'll\tgo ",
    "naïve café, 12abc ½ Ⅷ x²",
    "😀👩‍🔬 e\u0301 \u00a0no-break\u0085next\ufeffline\u2028",
    "<|endoftext|> 'S 'LL don't!?",
    "  ",
    "",
]


def decoded(packed):
    """An array as the page decodes it, float32."""
    kind = {"int8": "i1", "float16": "<f2", "float32": "<f4"}[packed["kind"]]
    array = np.frombuffer(b64decode(packed["data"]), kind).astype(np.float32)
    array = array.reshape(packed["shape"])
    if "scales" in packed:
        array = array * np.frombuffer(b64decode(packed["scales"]), "<f4")[:, None]
    return torch.tensor(array)


def shaken(model, seed):
    """The model in evaluation, its parameters and running averages drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator) * 0.5
                tensor.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn)
    return model.eval()


def arrays(model, tied_to=None):
    """What the page reads of a model in PyTorch, in single precision."""
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    if tied_to:
        state = without(state, "output_projection.weight", tied_to)
    return packed_all(state, "float32")


def language(seed, **options):
    """A language model, tokens, and their logits."""
    sizes = {"context": CONTEXT, "n_layers": 2, "n_heads": 2, "d_model": 8}
    shape = GPTModel(**sizes, **options)
    model = shaken(build_gpt(shape, VOCABULARY), seed)
    tokens = torch.arange(1, CONTEXT + 1).unsqueeze(0) * 5 % VOCABULARY  # (1, T)
    with torch.no_grad():
        logits, weights = model.forward_with_attention(tokens)
    return {
        "kind": "language",
        "arrays": arrays(model, "embedding.weight"),
        "about": {"model": shape.model_dump()},
        "tokens": tokens[0].tolist(),
        "wanted": logits[0].tolist(),
        "weights": weights[1][0, 1].tolist(),  # of one head
    }


def translator():
    shape = Seq2SeqModel(n_heads=2, d_model=8, d_ff=12)
    model = shaken(build_seq2seq(shape, 30, 11), 5)
    source, target = torch.arange(21).unsqueeze(0) % 4, torch.tensor([[code.TARGET_START, 3, 7, 1]])
    with torch.no_grad():
        logits, _, _, cross = model.forward_with_attention(source, target)
    return {
        "kind": "translation",
        "arrays": arrays(model, "target_embedding.weight"),
        "about": {"model": shape.model_dump()},
        "source": source[0].tolist(),
        "target": target[0].tolist(),
        "wanted": logits[0].tolist(),
        "weights": cross[1][0, 1].tolist(),
    }


DNA = [
    {"pooling": "cls", "positions": "rotary", "stem_kernel": 0},
    {"pooling": "mean", "positions": "sinusoidal", "stem_pools": [1, 3]},
    {
        "pooling": "max",
        "stem_kernel": 15,
        "stem_pools": [2, 2],
        "stem_norm": True,
        "token_width": 4,
    },
    {"pooling": "attention", "stem_norm": True, "n_layers": 0},
    {"pooling": "flatten"},
]


def classifier(number):
    shape = DNAModel(n_heads=2, d_model=8, d_ff=12, **DNA[number])
    model, both = shaken(build_dna(shape, 24, 3), number), number % 2 == 0
    letters = (torch.arange(22) ** 2 % 5).unsqueeze(0)  # (1, L): N too, and shorter than 24
    with torch.no_grad():
        logits = model(letters)
    *_, p = predict_views(model, letters, both).values()
    about = {"model": shape.model_dump(), "length": 24, "both_strands": both}
    return {
        "kind": "classifier",
        "arrays": arrays(model),
        "about": about,
        "letters": letters[0].tolist(),
        "wanted": [logits[0].tolist()],
        "p": p[0].tolist(),
    }


def net(norm, activation, per_feature):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (40, 12)).astype(np.uint8)
    standardise = Standardise(features=12 if per_feature else None).fit(x)
    model = build_mlp(
        [12, 9, 7, 4], activation=activation, norm=norm, dropout=0.3, input_dropout=0.1,
        standardise=standardise, weights_rng=rng, dropout_rng=rng,
    )  # fmt: skip
    for _ in range(3):  # running averages that are none of the start
        model.train().forward(x)
    model.eval()
    layers, own = net_layers(model.state_dict())
    logits = model.forward(x[:1])
    return {
        "kind": "net",
        "arrays": packed_all(own, "float32"),
        "layers": layers,
        "pixels": x[0].tolist(),
        "wanted": logits.tolist(),
        "p": torch.tensor(logits).softmax(dim=1)[0].tolist(),
    }


def tokenizer(value):
    """A tokenizer as the page has it, and what it makes of TEXTS."""
    about = {"room": "gpt", "dataset": "x", "tokenizer": value}
    exhibit = stories(Model(Source("x", None, None), {}, about), None)
    return {"kind": "tokenizer", "value": exhibit["tokenizer"]}


def tokenizers():
    text = [*TEXTS, "a story and a story and they'll go to the café, café"]
    pairs = BytePairTokenizer.train(text, 300)
    letters = CharacterTokenizer.train(TEXTS, separator=True)
    saved = [
        json.loads(Tokenizer.to_str(pairs.tokenizer)),
        {"kind": "characters", "characters": letters.characters, "separator": True},
    ]
    for one, value in zip((pairs, letters), saved, strict=True):
        found = [one.encode(text) for text in TEXTS]
        yield tokenizer(value) | {
            "texts": TEXTS,
            "wanted": found,
            "decoded": [one.decode(tokens) for tokens in found],
        }


def sampling():
    logits = torch.randn(30, generator=torch.Generator().manual_seed(3))
    ways = [(0.7, 0.9), (1.0, 1.0), (0.0, 0.5), (1.3, 0.2)]
    found = [token_distribution(logits, temperature=t, top_p=p).tolist() for t, p in ways]
    return {"kind": "sampling", "logits": logits.tolist(), "ways": ways, "wanted": found}


def cases():
    """name -> case."""
    return {
        "gpt-2": language(1),
        "gpt-2 sinusoidal": language(2, positions="sinusoidal"),
        "llama": language(3, architecture="llama"),
        "modern": language(4, architecture="modern"),
        "translator": translator(),
        **{f"dna {DNA[n]['pooling']}": classifier(n) for n in range(len(DNA))},
        "net batch": net("batch", "gelu", True),
        "net layer": net("layer", "relu", False),
        **dict(zip(("byte pairs", "characters"), tokenizers(), strict=True)),
        "sampling": sampling(),
    }


DNA_SHAPE = DNAModel(n_heads=2, d_model=8, d_ff=12)
TRANSLATOR = Seq2SeqModel(n_heads=2, d_model=8, d_ff=12)


def write_run(folder, processed):
    """A run with a small model of each room but the language's; returns the files of weights."""
    about = {"dataset": "toy", "title": "Toy", "stand_in": True, "data_sha256": "0" * 64}
    paths = [folder / name / "model.safetensors" for name in ("seq2seq/seed1", "dna/toy/seed1")]
    stored = Seq2SeqStored(model=TRANSLATOR, source_length=30)
    save_weights(paths[0], shaken(build_seq2seq(TRANSLATOR, 30, 11), 5), stored)
    stored = DNAStored(
        model=DNA_SHAPE, classes=["site", "no site"], length=24, both_strands=False, **about
    )
    save_weights(paths[1], shaken(build_dna(DNA_SHAPE, 24, 2), 6), stored)
    x = np.arange(8 * 24).reshape(8, 24) % 7 % 4
    write_npz(
        processed / "toy" / "sequences.npz", test_x=x.astype(np.uint8), test_y=np.arange(8) % 2
    )
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (3, 8, 8)).astype(np.uint8)
    model = build_mlp([64, 9, 3], 0.1, rng, rng, Standardise().fit(images))
    write_npz(folder / "mlp" / "plain" / "seed1" / "model.npz", **model.state_dict())
    history = {"model": "MLP 64-9-3", "inputs": "pixels", "dataset": "digits"}
    write_json(folder / "mlp" / "plain" / "seed1" / "history.json", history)
    classes = np.array(["zero", "one", "two"])
    write_npz(
        folder / "mlp" / "plain" / "examples.npz", images=images, label=np.array([0, 2, 1]),
        classes=classes,
    )  # fmt: skip
    return [*paths, folder / "mlp" / "plain" / "seed1" / "model.npz"]
