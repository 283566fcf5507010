"""Part 2, images: an MLP, the textbook's CNN and a fast one in PyTorch (CIFAR-10)."""


rule train_vision:
    """Train the {wildcards.model} on {input.images} under seed {wildcards.seed}: {params.spec}."""
    input:
        images=f"{PROCESSED}/{VISION.dataset}/images.npz",
        meta=f"{PROCESSED}/{VISION.dataset}/meta.json",
    output:
        weights=f"{VISION_RUN}/seed{{seed}}/model.safetensors",
        history=f"{VISION_RUN}/seed{{seed}}/history.json",
    log:
        log_of("train_vision", "{model}.seed{seed}"),
    benchmark:
        benchmark_of("train_vision", "{model}.seed{seed}")
    priority: 10
    conda:
        "../../envs/torch.yaml"
    threads: VISION.threads
    resources:
        **need(megabytes=3000, minutes=300),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/vision/{{model}}/seed{{seed}}",
        spec=lambda w: spec("vision.train", vision.TrainSpec, w, VISION, getattr(VISION, w.model)),
    shell:
        "python -m vision.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_vision:
    """Evaluate the {wildcards.model} of each seed on the test images, once: {params.spec}."""
    input:
        images=f"{PROCESSED}/{VISION.dataset}/images.npz",
        meta=f"{PROCESSED}/{VISION.dataset}/meta.json",
        weights=per_seed(f"{VISION_RUN}/seed{{seed}}/model.safetensors", VISION.seeds),
        histories=per_seed(f"{VISION_RUN}/seed{{seed}}/history.json", VISION.seeds),
    output:
        metrics=f"{VISION_RUN}/metrics.json",
        predictions=f"{VISION_RUN}/predictions.csv",
        examples=f"{VISION_RUN}/examples.npz",
        study=f"{VISION_RUN}/study.npz",
    log:
        log_of("evaluate_vision", "{model}"),
    benchmark:
        benchmark_of("evaluate_vision", "{model}")
    conda:
        "../../envs/torch.yaml"
    threads: VISION.threads
    resources:
        **need(megabytes=2000, minutes=20),
    params:
        options=options,
        spec=lambda w: spec(
            "vision.evaluate", vision.EvaluateSpec, w, VISION, getattr(VISION, w.model)
        ),
    shell:
        "python -m vision.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
