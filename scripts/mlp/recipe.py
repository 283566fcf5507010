"""A recipe changed by what a search chose."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from mlp.settings import FullRecipe, Recipe
from pipeline.errors import InputError
from pipeline.settings import problems

Changed = TypeVar("Changed", bound=Recipe)


def changed(recipe: Changed, candidate: Mapping[str, Any]) -> Changed:
    """`recipe`, which may be a whole spec, with the values of a candidate.

    Raises InputError for a key that no recipe has, `epochs` included, or for a bad value.
    """
    try:
        Recipe.model_validate(candidate)
        return type(recipe).model_validate(recipe.model_dump() | dict(candidate))
    except ValidationError as error:
        raise InputError(f"candidate: {'; '.join(problems(error, Recipe))}") from None


def recipe_keys(spec: FullRecipe) -> dict[str, Any]:
    """The recipe in a spec, its epochs included, for the record."""
    return spec.model_dump(include=set(FullRecipe.model_fields))
