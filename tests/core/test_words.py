"""The words that docs/style.md rules out are used nowhere: not in code, templates, documents."""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from songmap.core.workspace import REPOSITORY

STYLE = REPOSITORY / "docs" / "style.md"
TEXTS = {".md", ".html", ".css", ".js", ".cff", ".toml", ".txt", ".ipynb", ".yaml"}
CHECKED = ("songmap", "benchmarks", "docs", "examples", ".ci")

# Removed before a text is searched; every one is used somewhere.
EXCEPTIONS = {
    "there is no": "a plain statement that something does not exist",
    "there are no": "as above",
    "doubtful_labels": "name of an artifact of version 0.1",
    "hear next": "what a listener does, not the program",
    "judged_by": "a key of version 0.1",
    "learning_rate": "a parameter of XGBoost",
    "confident learning": "name of a method, Northcutt et al. 2021",
    "desktop": "another word",
}


@dataclass(frozen=True)
class Rule:
    """One word or phrase, and where it must not be."""

    words: str
    instead: str
    where: str

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w-]){re.escape(self.words)}(?![\w-])", re.IGNORECASE)


@cache
def rules() -> tuple[Rule, ...]:
    rows = []
    for line in STYLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[2] in ("everywhere", "names", "text"):
            rows += [Rule(words.strip(), cells[1], cells[2]) for words in cells[0].split(",")]
    return tuple(rows)


def split_words(text: str) -> str:
    """Identifiers as words: snake_case and CamelCase apart; white space and comment signs as one space."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text)
    return re.sub(r"[\s#]+", " ", text)


def units(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, kind ("names" or "text") and content of everything in a file that has words."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        for number, line in enumerate(content.splitlines(), start=1):
            yield number, "text", line
        return
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], "names", token.string
        elif token.type in (tokenize.COMMENT, tokenize.STRING) or "FSTRING" in tokenize.tok_name[token.type]:
            yield token.start[0], "text", token.string


def violations(path: Path) -> list[str]:
    hits = []
    allowed = re.compile("|".join(map(re.escape, EXCEPTIONS)), re.IGNORECASE)
    for line, kind, content in units(path):
        text = allowed.sub(" ", split_words(allowed.sub(" ", content)))
        for rule in rules():
            if rule.where in ("everywhere", kind) and rule.pattern.search(text):
                hits.append(f"{path.name}:{line}: {rule.words!r}, write {rule.instead}")
    return hits


def all_files() -> list[Path]:
    inside = [path for folder in CHECKED for path in sorted((REPOSITORY / folder).rglob("*"))]
    files = [*sorted(REPOSITORY.glob("*")), *inside]
    own = {STYLE, Path(__file__)}
    return [path for path in files if path.is_file() and path.suffix in TEXTS | {".py"} and path not in own]


def test_the_table_is_read():
    assert len(rules()) > 40
    assert {rule.where for rule in rules()} == {"everywhere", "names", "text"}


@pytest.mark.parametrize(
    ("content", "n_hits"),
    [
        ("def judge_of(x): ...", 1),
        ("class LabelDoubts: ...", 1),
        ("x = 'A file that is no song'", 1),
        ("x = 'there is no song'", 0),
        ("import sklearn  # scikit-learn", 0),
        ('def f():\n    """Songs that\n    keep their\n    word."""', 1),
        ("asked = 1  # asked", 1),
        ("x = stands_for  # stands for", 3),
    ],
)
def test_words_are_found_in_names_texts_and_comments(tmp_path, content, n_hits):
    file = tmp_path / "module.py"
    file.write_text(content)
    assert len(violations(file)) == n_hits


@pytest.mark.parametrize("path", all_files(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_word_of_the_table_is_used(path):
    assert not violations(path)


def test_every_exception_is_used():
    everything = "\n".join(path.read_text(encoding="utf-8").lower() for path in all_files())
    assert [phrase for phrase in EXCEPTIONS if phrase.lower() not in everything] == []
