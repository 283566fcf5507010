"""The GPT by hand: trained in NumPy, measured, and compared with its twin in PyTorch.

It takes the text of one of the room's data sets, and the room's first seed.
"""

BY_HAND_TEXT = f"{PROCESSED}/{BY_HAND.dataset}/text"
BY_HAND_SEED = {"seed": GPT.seeds[0]}
HELD_OUT = {
    "val": f"{BY_HAND_TEXT}/val.npy",
    "test": f"{BY_HAND_TEXT}/test.npy",
    "meta": f"{BY_HAND_TEXT}/meta.json",
    "weights": f"{BY_HAND_RUN}/model.npz",
    "history": f"{BY_HAND_RUN}/history.json",
}


rule train_numpy_gpt:
    """Train the GPT by hand, in NumPy alone: {params.spec}."""
    input:
        train=f"{BY_HAND_TEXT}/train.npy",
        val=f"{BY_HAND_TEXT}/val.npy",
        meta=f"{BY_HAND_TEXT}/meta.json",
    output:
        weights=f"{BY_HAND_RUN}/model.npz",
        history=f"{BY_HAND_RUN}/history.json",
    log:
        log_of("train_numpy_gpt"),
    benchmark:
        benchmark_of("train_numpy_gpt")
    priority: 10
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=1000, minutes=120),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/gpt/numpy",
        spec=spec("gpt.train_numpy", gpt.NumpyTrainSpec, BY_HAND, BY_HAND.training, **BY_HAND_SEED),
    shell:
        "python -m gpt.train_numpy --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_numpy_gpt:
    """Measure the GPT by hand on the held-out text, once."""
    input:
        **HELD_OUT,
    output:
        out=f"{BY_HAND_RUN}/metrics.json",
    log:
        log_of("evaluate_numpy_gpt"),
    benchmark:
        benchmark_of("evaluate_numpy_gpt")
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        spec=spec("gpt.evaluate_numpy", gpt.NumpyEvaluateSpec),
    shell:
        "python -m gpt.evaluate_numpy --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule evaluate_twin:
    """Measure the same weights in PyTorch: {params.spec}."""
    input:
        **HELD_OUT,
    output:
        out=f"{BY_HAND_RUN}/twin/metrics.json",
    log:
        log_of("evaluate_twin"),
    benchmark:
        benchmark_of("evaluate_twin")
    conda:
        "../../envs/torch.yaml"
    threads: GPT.threads
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        spec=spec("gpt.evaluate_twin", gpt.EvaluateTwinSpec, GPT),
    shell:
        "python -m gpt.evaluate_twin --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule compare_twins:
    """Train both twins side by side for some steps: one start, one order of batches."""
    input:
        train=f"{BY_HAND_TEXT}/train.npy",
        meta=f"{BY_HAND_TEXT}/meta.json",
    output:
        out=f"{BY_HAND_RUN}/twins.json",
    log:
        log_of("compare_twins"),
    benchmark:
        benchmark_of("compare_twins")
    conda:
        "../../envs/torch.yaml"
    resources:
        **need(megabytes=1500, minutes=30),
    params:
        options=options,
        spec=spec(
            "gpt.compare_twins",
            gpt.CompareTwinsSpec,
            BY_HAND.beside_torch,
            BY_HAND,
            BY_HAND.training,
            **BY_HAND_SEED,
        ),
    shell:
        "python -m gpt.compare_twins --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule sample_numpy_gpt:
    """Let the GPT by hand write: {params.spec}."""
    input:
        weights=f"{BY_HAND_RUN}/model.npz",
        tokenizer=f"{BY_HAND_TEXT}/tokenizer.json",
        meta=f"{BY_HAND_TEXT}/meta.json",
    output:
        out=f"{BY_HAND_RUN}/samples.json",
    log:
        log_of("sample_numpy_gpt"),
    benchmark:
        benchmark_of("sample_numpy_gpt")
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        spec=spec("gpt.sample_numpy", gpt.NumpySampleSpec, BY_HAND.sampling),
    shell:
        "python -m gpt.sample_numpy --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
