"""What the rules take from an entry of config/datasets.yaml: a description, a rule's name."""

from collections.abc import Mapping


def about(entry: Mapping) -> dict:
    """Title, stand-in or not, description, licence, citation: a part of a prepare stage's spec."""
    return {
        "title": entry["title"],
        "stand_in": "stands_in_for" in entry,
        "description": entry["description"],
        "licence": entry["licence"],
        "citation": entry["citation"],
    }


def fetch_rule(dataset: str) -> str:
    """The name of the rule that fetches `dataset`: gue/human_tf_0 gives fetch_gue_human_tf_0."""
    return "fetch_" + dataset.replace("/", "_")
