"""The examples of Part 1 that people are told to paste, run as they stand; the files it names."""

import doctest
import re

import numpy_nn


def test_the_worked_example_of_the_framework():
    done = doctest.testmod(numpy_nn)
    assert done.failed == 0 and done.attempted > 10


def test_the_layer_that_docs_part1_writes(repository):
    done = doctest.testfile(str(repository / "docs" / "part1.md"), module_relative=False)
    assert done.failed == 0 and done.attempted > 4


def test_what_the_page_of_part_1_links_is_there(repository):
    links = re.findall(r"\]\(([^)#]+)", (repository / "docs" / "part1.md").read_text())
    missing = [link for link in links if not (repository / "docs" / link).exists()]
    assert len(links) > 10 and missing == []
