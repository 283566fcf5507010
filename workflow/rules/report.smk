"""Leaderboard, figures and report: the only rules that see the files of every room.

A figure of each kind is a rule of its own, so that a colour redraws and never retrains.
"""

import dataclasses

import report_figures

from report_figures import where

LOOK = SETTINGS.report
FIGURES = report_figures.plan(REPORT, RUN, CHOSEN, DATASETS)
SHOWN = [figure.dataset for figure in FIGURES["leaderboard"]]
TEMPLATE = os.path.relpath(REPOSITORY / "workflow" / "report" / "report.html.j2")
RECORDS = [
    path
    for kind in ("metrics", "histories", "selections", "searches", "samples")
    for path in REPORT[kind]
]
DRAWN = [
    (f"{RUN}/figures/{figure.kind}/{figure.name}", figure)
    for figures in FIGURES.values()
    for figure in figures
]
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
    "attention": {"attention": REPORT["attention"]},
    "positions": {"positions": REPORT["positions"]},
}
COLOURS = LOOK.colours
LOOKS = {
    "leaderboard": {
        "datasets": SHOWN,
        "ours": COLOURS.ours,
        "published": COLOURS.published,
        "rows": LOOK.rows,
    },
    "curves": {
        "groups": report_figures.curve_groups(REPORT, RUN),
        "datasets": {name: report_figures.title(name, DATASETS) for name in SHOWN},
        "ours": COLOURS.ours,
        "train": COLOURS.train,
    },
    "grid": {"heat_map": LOOK.heat_map, "mark": COLOURS.published},
    "race": {
        "groups": report_figures.race_groups(REPORT),
        "ours": COLOURS.ours,
        "mark": COLOURS.published,
    },
    "confusion": {"heat_map": LOOK.heat_map},
    "examples": {"examples": LOOK.examples, "wrong": COLOURS.wrong},
    "attention": {"heat_map": LOOK.heat_map},
    "positions": {"heat_map": LOOK.heat_map},
}


rule build_leaderboard:
    """The leaderboard of run {config[run]}: every evaluation's rows, and published results of
    the same data sets beside them. A changed colour of the report does not rebuild it.
    """
    input:
        metrics=REPORT["metrics"],
        references=REFERENCES,
    output:
        out=report(f"{RUN}/leaderboard.csv", **where("leaderboard", "Leaderboard", "every row")),
        splits=report(
            f"{RUN}/accuracy_by_split.csv",
            **where("accuracy_by_split", "Leaderboard", "classifiers: training, validation, test"),
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
        spec=spec(
            "reporting.build_leaderboard",
            dict,
            run=SETTINGS.run,
            config_sha256=report_figures.config_sha256(config),
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
            [
                report(f"{RUN}/figures/{kind}/{figure.name}", **figure.where)
                for figure in FIGURES[kind]
            ],
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
    """One self-contained page of run {config[run]}: numbers, figures, texts, where they come
    from. The template is an input, so that another layout rebuilds the page and nothing else.
    """
    input:
        leaderboard=f"{RUN}/leaderboard.csv",
        references=REFERENCES,
        template=TEMPLATE,
        records=RECORDS,
        figures=[path for path, _ in DRAWN],
    output:
        out=report(f"{RUN}/report.html", **where("report", "Leaderboard", "the report, one page")),
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
            datasets=report_figures.about(SHOWN, DATASETS),
            figures=[dataclasses.asdict(figure) for _, figure in DRAWN],
            records=[report_figures.room(path, RUN) for path in RECORDS],
            samples=LOOK.samples,
            ours=COLOURS.ours,
            published=COLOURS.published,
        ),
    shell:
        "python -m reporting.build_report --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
