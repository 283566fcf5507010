"""Every link and picture of the documentation is there, and every #place is a heading."""

import re

import pytest

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "config/README.md",
    "docs/*.md",
    "results/reference*/README.md",
]
LINK = re.compile(r"""\]\(([^)\s]+)\)|<img src="([^"]+)\"""")


def headings(page):
    """The names by which a page's headings can be linked, as GitHub and GitLab make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, flags=re.M)
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", t)).lower() for t in titles)
    return {title.replace(" ", "-") for title in plain}


@pytest.mark.parametrize("pattern", PAGES)
def test_every_link_leads_somewhere(repository, pattern):
    pages, found, broken = list(repository.glob(pattern)), 0, []
    for page in pages:
        for link in map("".join, LINK.findall(page.read_text(encoding="utf-8"))):
            if "://" in link or link.startswith("mailto:"):
                continue
            found += 1
            name, _, place = link.partition("#")
            target = page.parent / name if name else page
            if not target.exists() or (place and place not in headings(target)):
                broken.append(f"{page.relative_to(repository)}: {link}")
    assert pages and found and broken == []
