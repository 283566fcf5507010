"""What a page shows of samples, and of what evaluations note about their numbers."""

import re
from collections.abc import Iterable


def texts(samples: dict, most: int) -> dict:
    """A language model's samples: the first `most`, prompt and continuation apart."""
    kept = []
    for sample in samples["samples"][:most]:
        continuation = sample["text"].removeprefix(sample["prompt"])
        sampling = {
            name.replace("_", "-"): sample[name]
            for name in ("temperature", "top_k", "top_p", "seed")
            if sample.get(name) is not None
        }
        kept.append({"prompt": sample["prompt"], "text": continuation, "sampling": sampling})
    made = len(samples["samples"])
    return {**samples, "samples": kept, "made": made, "note": way(samples["note"])}


def way(note: str) -> str:
    """A note without settings as Python prints them: `top_k=None` is left out."""
    note = re.sub(r",? ?\b\w+=None\b", "", note)
    note = re.sub(r"\b(temperature|top_[kp])=", lambda m: m[1].replace("_", "-") + " ", note)
    return note.replace("accepted_share", "accepted share")


def notes(metrics: Iterable[dict]) -> list[tuple[str, object, list[str]]]:
    """(key, value, models) of what the evaluations note, the same thing said once.

    models: whose evaluations say it, empty where all of the room's do.
    """
    records = [(record.get("notes") or {}, record["rows"]) for record in metrics]
    said: list[tuple[str, object, list[str]]] = []
    for note, rows in records:
        model = rows[0]["model"] if rows else ""
        for key, value in note.items():
            same = next((entry for entry in said if entry[:2] == (key, value)), None)
            if same:
                same[2].append(model)
            else:
                said.append((key, value, [model]))
    return [(key, value, [] if len(who) == len(records) else who) for key, value, who in said]


def data_notes(metrics: Iterable[dict]) -> dict[str, str]:
    """Data set -> what its evaluation notes of the data: the protocol, a floor of every loss."""
    found = {}
    for record in metrics:
        note = (record.get("notes") or {}).get("data")
        if isinstance(note, str):
            found |= dict.fromkeys((row["dataset"] for row in record["rows"]), note)
    return found
