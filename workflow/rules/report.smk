"""Leaderboard, figures and report: the only rules that see the files of every room.

A figure of each kind is a rule of its own, so that a colour redraws and never retrains.
"""

import dataclasses

import report_figures as figures

LOOK = SETTINGS.report
COLOURS = LOOK.colours
OURS, PUBLISHED = COLOURS.ours, COLOURS.published
# Room -> data sets that the report shows, in the order of the project's parts.
CHOSEN = figures.there(REPORT, RUN, SETTINGS, DATASETS)
FIGURES = figures.plan(REPORT, RUN, CHOSEN, DATASETS)
CONFIG_SHA256 = figures.config_sha256(config)
SHOWN = [figure.dataset for figure in FIGURES["leaderboard"]]
TEMPLATE = os.path.relpath(REPOSITORY / "workflow" / "report" / "report.html.j2")
RECORDED = ("metrics", "histories", "selections", "searches", "samples")
RECORDS = [path for kind in RECORDED for path in REPORT[kind]]
DRAWN = [(f"{RUN}/figures/{kind}/{f.name}", f) for kind in FIGURES for f in FIGURES[kind]]
# Kind of figure -> what it is made of, and the settings that it has besides names and titles.
PLOTS = {
    "leaderboard": {"leaderboard": f"{RUN}/leaderboard.csv"},
    "curves": {"histories": REPORT["histories"]},
    "grid": {"selections": REPORT["selections"]},
    "race": {"rankings": REPORT["searches"]},
    "confusion": {
        "predictions": REPORT["predictions"],
        "meta": [f"{PROCESSED}/{figure.dataset}/meta.json" for figure in FIGURES["confusion"]],
    },
    "examples": {"images": REPORT["images"]},
    "study": {"studies": REPORT["studies"]},
    "attention": {"attention": REPORT["attention"]},
    "positions": {"positions": REPORT["positions"]},
    "twins": {"twins": REPORT["twins"]},
}
LOOKS = {
    "leaderboard": {"datasets": SHOWN, "ours": OURS, "published": PUBLISHED, "rows": LOOK.rows},
    "curves": {
        "groups": figures.curve_groups(REPORT, RUN),
        "datasets": {name: figures.title(name, DATASETS) for name in SHOWN},
        "ours": OURS,
        "train": COLOURS.train,
    },
    "grid": {"heat_map": LOOK.heat_map, "mark": PUBLISHED},
    "race": {"ours": OURS, "groups": figures.race_groups(REPORT), "mark": PUBLISHED},
    "examples": {"examples": LOOK.examples, "wrong": COLOURS.wrong},
    **dict.fromkeys(("twins", "study"), {"ours": OURS, "mark": PUBLISHED}),
    **dict.fromkeys(("confusion", "attention", "positions"), {"heat_map": LOOK.heat_map}),
}


rule build_leaderboard:
    """The leaderboard of run {config[run]}: every evaluation's rows, beside published results."""
    input:
        metrics=REPORT["metrics"],
        # Its bytes, comments too: so are they in the manifest, and this takes seconds.
        references=REFERENCES,
    output:
        out=report(
            f"{RUN}/leaderboard.csv", **figures.where("leaderboard", "Leaderboard", "every row")
        ),
        splits=report(
            f"{RUN}/accuracy_by_split.csv",
            **figures.where(
                "accuracy_by_split", "Leaderboard", "classifiers: training, validation, test"
            ),
        ),
    log:
        log_of("build_leaderboard"),
    benchmark:
        benchmark_of("build_leaderboard")
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=600, minutes=5),
    params:
        options=options,
        # Without the look: a changed colour does not rebuild it.
        spec=spec(
            "reporting.build_leaderboard", dict, run=SETTINGS.run, config_sha256=CONFIG_SHA256
        ),
    shell:
        "python -m reporting.build_leaderboard --spec {params.spec:q} {params.options:q}"
        " > {log:q} 2>&1"


for kind in PLOTS:

    rule:
        """Draw figures for the report, all of one kind: {params.program}."""
        name:
            f"plot_{kind}"
        input:
            **PLOTS[kind],
        output:
            [report(path, **figure.where) for path, figure in DRAWN if figure.kind == kind],
        log:
            log_of(f"plot_{kind}"),
        benchmark:
            benchmark_of(f"plot_{kind}")
        conda:
            "../../envs/report.yaml"
        resources:
            **need(megabytes=800, minutes=5),
        params:
            options=options,
            program=f"reporting.plot_{kind}",
            folder=lambda w, output: os.path.dirname(output[0]),
            spec=spec(
                f"reporting.plot_{kind}",
                dict,
                names=[figure.name for figure in FIGURES[kind]],
                titles=[figure.title for figure in FIGURES[kind]],
                dpi=LOOK.dpi,
                **LOOKS[kind],
            ),
        shell:
            "python -m {params.program:q} --spec {params.spec:q} {params.options:q}"
            " --figures {params.folder:q} > {log:q} 2>&1"


rule build_report:
    """One self-contained page of run {config[run]}: numbers, figures, texts, their sources."""
    input:
        leaderboard=f"{RUN}/leaderboard.csv",
        references=REFERENCES,
        # An input, so that another layout rebuilds the page and nothing else.
        template=TEMPLATE,
        records=RECORDS,
        figures=[path for path, _ in DRAWN],
    output:
        out=report(
            f"{RUN}/report.html", **figures.where("report", "Leaderboard", "the report, one page")
        ),
    log:
        log_of("build_report"),
    benchmark:
        benchmark_of("build_report")
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=800, minutes=5),
    params:
        options=options,
        spec=spec(
            "reporting.build_report",
            dict,
            run=SETTINGS.run,
            rooms=CHOSEN,
            order=list(CHOSEN),
            datasets=figures.about(SHOWN, DATASETS),
            figures=[dataclasses.asdict(figure) for _, figure in DRAWN],
            records=[figures.room(path, RUN) for path in RECORDS],
            samples=LOOK.samples,
            ours=OURS,
            published=PUBLISHED,
        ),
    shell:
        "python -m reporting.build_report --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
