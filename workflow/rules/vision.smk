"""Part 2, images: an MLP and a convolutional network in PyTorch (CIFAR-10)."""

import vision


rule train_vision:
    """
    Train the {wildcards.model} on {input.images} under seed {wildcards.seed}.

    Settings: {params.spec}
    """
    input:
        images=f"{PROCESSED}/{config['vision']['dataset']}/images.npz",
        meta=f"{PROCESSED}/{config['vision']['dataset']}/meta.json",
    output:
        weights=f"{RUN}/vision/{{model}}/seed{{seed}}/model.safetensors",
        history=f"{RUN}/vision/{{model}}/seed{{seed}}/history.json",
    log:
        f"{RUN}/logs/train_vision/{{model}}.seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_vision/{{model}}.seed{{seed}}.tsv"
    wildcard_constraints:
        model="mlp|cnn",
    # The longest jobs start first, so that none is left alone at the end.
    priority: 10
    conda:
        "../../envs/torch.yaml"
    threads: config["vision"]["threads"]
    resources:
        mem_mb=memory(2500),
        runtime=60,
    params:
        checkpoint=f"{RUN}/.checkpoints/vision/{{model}}/seed{{seed}}",
        spec=lambda wildcards: spec(
            "vision.train",
            **vision.training(config["vision"], wildcards.model, wildcards.seed),
        ),
    shell:
        "python -m vision.train --spec {params.spec:q}"
        " --images {input.images:q} --meta {input.meta:q}"
        " --weights {output.weights:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_vision:
    """
    Evaluate the {wildcards.model} of each seed on the test images, once.

    Settings: {params.spec}
    """
    input:
        images=f"{PROCESSED}/{config['vision']['dataset']}/images.npz",
        meta=f"{PROCESSED}/{config['vision']['dataset']}/meta.json",
        weights=expand(
            f"{RUN}/vision/{{{{model}}}}/seed{{seed}}/model.safetensors",
            seed=config["vision"]["seeds"],
        ),
        histories=expand(
            f"{RUN}/vision/{{{{model}}}}/seed{{seed}}/history.json",
            seed=config["vision"]["seeds"],
        ),
    output:
        metrics=f"{RUN}/vision/{{model}}/metrics.json",
        predictions=f"{RUN}/vision/{{model}}/predictions.csv",
        examples=f"{RUN}/vision/{{model}}/examples.npz",
    log:
        f"{RUN}/logs/evaluate_vision/{{model}}.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_vision/{{model}}.tsv"
    wildcard_constraints:
        model="mlp|cnn",
    conda:
        "../../envs/torch.yaml"
    threads: config["vision"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        spec=lambda wildcards: spec(
            "vision.evaluate",
            **vision.evaluation(config["vision"], wildcards.model),
        ),
    shell:
        "python -m vision.evaluate --spec {params.spec:q}"
        " --images {input.images:q} --meta {input.meta:q}"
        " --weights {input.weights:q} --histories {input.histories:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q}"
        " --examples {output.examples:q} > {log:q} 2>&1"


REPORT["metrics"] += expand(
    f"{RUN}/vision/{{model}}/metrics.json", model=config["vision"]["models"]
)
REPORT["histories"] += expand(
    f"{RUN}/vision/{{model}}/seed{{seed}}/history.json",
    model=config["vision"]["models"],
    seed=config["vision"]["seeds"],
)
REPORT["predictions"] += expand(
    f"{RUN}/vision/{{model}}/predictions.csv", model=config["vision"]["models"]
)
REPORT["images"] += expand(
    f"{RUN}/vision/{{model}}/examples.npz", model=config["vision"]["models"]
)
