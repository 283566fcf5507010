"""What a data set's meta.json says of it, out of its entry in config/datasets.yaml."""

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
