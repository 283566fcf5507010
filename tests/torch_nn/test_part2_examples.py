"""The examples of Part 2 that people are told to paste, run as they stand; the files it names."""

import doctest


def test_the_examples_of_docs_part2(repository):
    done = doctest.testfile(str(repository / "docs" / "part2.md"), module_relative=False)
    assert done.failed == 0 and done.attempted > 20


def test_every_file_of_part_2_stands_in_the_page(repository):
    """A new file of torch_nn needs a line in the table, or nobody finds it."""
    page = (repository / "docs" / "part2.md").read_text()
    files = (repository / "scripts" / "torch_nn").glob("[!_]*.py")
    assert [file.name for file in files if f"`{file.name}`" not in page] == []
