"""Write stories of the project's own grammar, all different: the stand-in for TinyStories."""

from gpt.settings import StoriesSpec
from gpt.story_grammar import tell
from gpt.text_cleaning import SEPARATOR
from pipeline import settings
from pipeline.atomic import write_text
from pipeline.seeds import generator


def main() -> None:
    args = settings.arguments(__doc__, StoriesSpec, inputs={}, outputs={"out": "stories.txt"})
    draws = generator(args.spec.seed, "stories")
    stories: dict[str, None] = {}
    while len(stories) < args.spec.stories:
        stories[tell(draws)] = None
    write_text(args.out, f"\n{SEPARATOR}\n".join(stories) + "\n")
    print(f"{len(stories)} stories, e.g.\n{next(iter(stories))}")


if __name__ == "__main__":
    settings.run(main)
