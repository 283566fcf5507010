"""What a run would do now, and why, in plain words: `python why.py SNAKEMAKE WORD...`.

Runs that command, a dry run, and tells for each rule how many jobs would run and the reasons. A
reason that is not known here is shown in Snakemake's own words, and so is a run that cannot be
planned.
"""

import ast
import json
import re
import subprocess
import sys
from collections import Counter

JOB = re.compile(r"^(?:local)?rule (\w+):\n((?: {4}.*\n)+)", re.M)
PARAMS = re.compile(
    r"Params have changed since last execution: .*?before: (?P<before>.*?) now: (?P<now>.*?)"
    r"(?=; [A-Z]|$)"
)
TABLE = re.compile(r"^job +count\n.*?^total .*?$", re.M | re.S)
WORDS = {
    "Missing output files": "no result yet",
    "Input files updated by another job": "what it reads is made again",
    "Set of input files has changed since last execution": "it reads other files than before",
    "Code has changed since last execution": "its command changed",
    "Software environment definition has changed since last execution": "its environment changed",
    "Forced execution": "asked for",
}
NAMED = {"Updated input files": "changed since then:"}
LONGEST = 60  # letters of a value


def plain(reason: str) -> tuple[str, ...]:
    """The reasons, in words, of what Snakemake says after `reason:`."""
    found = PARAMS.search(reason)
    told = list(settings(found["before"], found["now"])) if found else []
    rest = PARAMS.sub("", reason)
    for part in filter(None, (part.strip() for part in rest.split("; "))):
        head, _, names = part.partition(": ")
        if head in NAMED:
            told.append(f"{NAMED[head]} {shortened(names, 200)}")
        else:
            told.append(WORDS.get(head) or shortened(part, 200))
    return tuple(told)


def settings(before: str, now: str) -> list[str]:
    """What differs between two lists of params, of which one a side is the JSON of the settings."""
    old, new = flat(spec(before)), flat(spec(now))
    if not old or not new:
        return ["its settings changed"]
    lines = [
        f"{name} {shortened(old.get(name, '(none)'))} -> {shortened(new.get(name, '(none)'))}"
        for name in sorted(old | new)
        if old.get(name) != new.get(name) and name != "code"
    ]
    told = [f"settings changed: {', '.join(lines)}"] if lines else []
    return told + (["its code changed"] if old.get("code") != new.get("code") else [])


def spec(side: str) -> dict:
    """The settings among the params of one side, {} if they cannot be told."""
    try:
        values = ast.literal_eval(f"[{side}]")
        found = [json.loads(v) for v in values if isinstance(v, str) and v.startswith("{")]
    except (ValueError, SyntaxError):
        return {}
    return found[0] if len(found) == 1 else {}


def flat(values: dict, above: str = "") -> dict[str, str]:
    """key or outer.inner -> its value as JSON."""
    found = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = json.dumps(value)
    return found


def shortened(text: str, letters: int = LONGEST) -> str:
    return text if len(text) <= letters else f"{text[: letters - 3]}..."


def report(shown: str) -> str:
    """The page for what a dry run printed."""
    jobs: Counter = Counter()
    for rule, block in JOB.findall(shown):
        reason = re.search(r"^ {4}reason: (.*)$", block, re.M)
        if rule != "all":
            jobs[rule, plain(reason[1].strip()) if reason else ()] += 1
    table = TABLE.search(shown)
    if not jobs or not table:
        return "Nothing to be done: every result is there and follows from what is here.\n"
    lines = [
        f"{rule} ({count} job{'s' * (count > 1)}): {'; '.join(reasons) or 'no reason given'}"
        for (rule, reasons), count in jobs.items()
    ]
    return "\n".join(["What a run would do, and why:", "", *lines, "", table[0]]) + "\n"


def main() -> int:
    done = subprocess.run(
        sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    planned = done.returncode == 0 and (JOB.search(done.stdout) or "Nothing to be" in done.stdout)
    print(report(done.stdout) if planned else done.stdout, end="")
    return done.returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:  # nobody reads, or a full disk
        sys.exit(f"error: {error}")
