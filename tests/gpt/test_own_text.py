"""A text of one's own: what is read, how it is split, and one line for what cannot be used."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt.corpora import blocks, read_corpus
from gpt.own_text import collect, read_documents
from gpt.tokenizer import BytePairTokenizer, load_tokenizer, token_stream
from pipeline.errors import InputError


def test_a_folder_is_split_by_documents(tmp_path):
    for number in range(10):
        path = tmp_path / "in" / f"part{number % 2}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xef\xbb\xbf" + f"Poem {number}\r\nä\r\n".encode())
    (tmp_path / "in" / "same.txt").write_text("Poem 3\nä\n", encoding="utf-8")
    (tmp_path / "in" / "empty.txt").write_text(" \n")
    (tmp_path / "in" / "notes.md").write_text("no poem")
    told, changes = collect(tmp_path / "in", tmp_path / "documents.json")
    assert told == "11 documents, 99 characters" and changes["sampling"] == {"prompts": [""]}
    corpus = read_corpus("own/poems", [tmp_path / "documents.json"], 0.2, 1)
    splits = [corpus.train, corpus.val, corpus.test]
    assert [len(split) for split in splits] == [6, 2, 2] and corpus.stories
    assert sorted(sum(splits, [])) == [f"Poem {number}\nä" for number in range(10)]


def test_a_file_is_split_by_paragraphs(tmp_path):
    paragraphs = [f"{number} " * 60 + f"end of {number}.\n\n" for number in range(40)]
    (tmp_path / "Novel.TXT").write_text("".join(paragraphs))
    told, changes = collect(tmp_path / "Novel.TXT", tmp_path / "documents.json")
    assert told.startswith("one running text") and changes["sampling"] == {"prompts": ["\n"]}
    assert changes["sentence"] == ("0 " * 40)
    corpus = read_corpus("own/novel", [tmp_path / "documents.json"], 0.1, 0)
    texts = [*corpus.train, *corpus.val, *corpus.test]
    assert len(texts) == 3 and not corpus.stories
    assert all(sum(paragraph in text for text in texts) == 1 for paragraph in paragraphs)
    assert sum(map(len, texts)) == sum(map(len, paragraphs))


@given(st.lists(st.text("ab \n", max_size=900), max_size=9).map("".join))
def test_blocks_are_the_whole_text(text):
    found = blocks(text)
    assert "".join(found) == text
    assert all(len(block) <= 3 * 400 or set(block[1200:]) == {"\n"} for block in found)


def test_a_running_text_has_no_separator(tmp_path):
    tokenizer = BytePairTokenizer.train(["<|endoftext|> " * 50], 400, separator=False)
    tokenizer.save(tmp_path / "t.json")
    for one in (tokenizer, load_tokenizer(tmp_path / "t.json")):
        assert one.separator is None and one.decode(token_stream(one, ["a", "b"])) == "ab"


@pytest.mark.parametrize(
    ("files", "path", "line"),
    [
        ({}, "none.txt", "none.txt: expected a .txt file or a folder of them, found nothing there"),
        ({"a.pdf": b"x"}, "a.pdf", "a.pdf: expected a .txt file .*, found .pdf file"),
        ({"f/a.md": b"x"}, "f", "f: expected .txt files in this folder, found none"),
        ({"a.txt": b"\n \n"}, "a.txt", "a.txt: expected text, found only empty files"),
        ({"f/a.txt": b"x", "f/b.txt": b"y"}, "f", "at least 3 different documents, found 2"),
        (
            {"f/a.txt": b"one\n", "f/b.txt": b"one\ntwo\nth\xe9\n"},
            "f",
            r"f/b.txt, line 3: expected UTF-8 text, found the byte 0xe9. Save the file as UTF-8",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, files, path, line):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=line) as error:
        collect(tmp_path / path, tmp_path / "out.json")
    assert "\n" not in str(error.value) and not (tmp_path / "out.json").exists()


def test_a_text_too_short_to_split_is_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("A short text.")
    collect(tmp_path / "a.txt", tmp_path / "documents.json")
    with pytest.raises(InputError, match="expected a text of some thousand characters"):
        read_corpus("own/a", [tmp_path / "documents.json"], 0.1, 0)


@pytest.mark.parametrize(
    "value",
    [[], {"running": True}, {"running": 1, "documents": []}, {"running": 0, "documents": {"a": 1}}],
)
def test_a_raw_file_of_another_form_is_refused(tmp_path, value):
    (tmp_path / "documents.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match="own/x: a raw text cannot be read"):
        read_corpus("own/x", [tmp_path / "documents.json"], 0.1, 0)


def test_the_raw_file_is_the_same_for_the_same_documents(tmp_path):
    (tmp_path / "a.txt").write_text("Text ü", encoding="utf-8")
    for name in ("1.json", "2.json"):
        collect(tmp_path / "a.txt", tmp_path / name)
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    value = json.loads((tmp_path / "1.json").read_text(encoding="utf-8"))
    assert value == {"running": True, "documents": {"a.txt": "Text ü"}}
    assert read_documents(tmp_path / "a.txt") == value["documents"]
