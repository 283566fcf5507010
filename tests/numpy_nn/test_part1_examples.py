"""The examples of Part 1 that people are told to paste, run as they stand."""

import doctest

import numpy_nn


def test_the_worked_example_of_the_framework():
    done = doctest.testmod(numpy_nn)
    assert done.failed == 0 and done.attempted > 10


def test_the_examples_of_docs_part1(repository):
    done = doctest.testfile(str(repository / "docs" / "part1.md"), module_relative=False)
    assert done.failed == 0 and done.attempted > 50


def test_the_examples_of_attention_backwards(repository):
    page = repository / "docs" / "attention-backwards.md"
    done = doctest.testfile(str(page), module_relative=False)
    assert done.failed == 0 and done.attempted > 50
