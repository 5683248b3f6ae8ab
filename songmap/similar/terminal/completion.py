"""What Tab and the menu at 04's prompt offer: verbs, options and their values, genres, files, and names of songs."""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter, get_common_complete_suffix
from prompt_toolkit.document import Document
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from songmap.core.text import normalise, readable
from songmap.library.display_names import display_names, display_titles
from songmap.similar.terminal.commands import BETWEEN
from songmap.similar.terminal.parser import CommandParser
from songmap.similar.terminal.words import PAIR_WORDS

if TYPE_CHECKING:
    import pandas as pd

MAX_OFFERED = 50  # names in the menu; typing on shows others
_TOKEN = re.compile(r'-?"(?:\\.|[^"\\])*(?:"|$)|\S+')
# what would end a name, or be read as a shell's quoting
_NEEDS_QUOTES = re.compile(r"""["'\\]|(?:^|\s)(?:\+(?=\s|$)|-\S)|\s\s""")


class _Offered(NamedTuple):
    """A song to offer: normalised name and name of its file, what is inserted and shown, and its genre."""

    name: str
    file: str
    inserted: str
    shown: str
    genre: str


class SongCompleter(Completer):
    """Completes lines of ``commands`` with the songs and genres of a library's song table."""

    def __init__(self, commands: dict[str, CommandParser], songs: "pd.DataFrame") -> None:
        self._commands, self._table = commands, songs
        self._genres = sorted(set(map(readable, songs["genre"])))
        self._files = PathCompleter(expanduser=True)

    @cached_property
    def _songs(self) -> list[_Offered]:
        """By name. What is inserted is a title, with the artist where several songs have it."""
        titles, names, genres = (
            list(map(readable, texts))
            for texts in (display_titles(self._table), display_names(self._table), self._table["genre"])
        )
        songs_of = Counter(map(normalise, titles))
        files = map(normalise, self._table["song_name"])
        offered = {
            name: _Offered(normalise(name), file, title if songs_of[normalise(title)] == 1 else name, name, genre)
            for title, name, genre, file in zip(titles, names, genres, files, strict=True)
        }
        return [offered[name] for name in sorted(offered)]

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        text = document.text_before_cursor
        verb, space, rest = text.lstrip().partition(" ")
        if not space:
            yield from _words(verb, self._commands)
        elif verb == "help":
            yield from _words(rest.lstrip(), self._commands)
        elif verb in self._commands:
            yield from self._after(verb, rest, complete_event)

    def _after(self, verb: str, text: str, event: CompleteEvent) -> Iterator[Completion]:
        """What the end of ``text``, which follows a verb, can become."""
        options = self._commands[verb].options
        typed, option = _unfinished(text, options, pair=verb in BETWEEN)
        if option is None and typed.startswith("--"):
            yield from _words(typed, {name: one.help or "" for name, one in options.items() if name.startswith("--")})
            return
        holds = option or self._commands[verb].holds
        if holds is None:
            return
        if holds.choices:
            yield from _words(typed, holds.choices)
        elif holds.metavar == "GENRE":
            yield from _words(typed, map(_quoted, self._genres))
        elif str(holds.metavar).startswith("FILE") or (holds.metavar == "SONG" and re.match(r'"?[~./]', typed)):
            yield from self._files.get_completions(Document(typed.lstrip('"')), event)
        elif holds.metavar == "SONG":
            yield from self._named(typed, always_quoted=typed.startswith('"') or verb in BETWEEN)

    def _named(self, typed: str, always_quoted: bool) -> Iterator[Completion]:
        """Songs whose name, that of people or of the file, begins with what is typed, then others that hold it."""
        wanted = normalise(typed.strip('"').replace('\\"', '"'))
        found = [song for song in self._songs if wanted in song.name or wanted in song.file]
        found.sort(key=lambda song: not (song.name.startswith(wanted) or song.file.startswith(wanted)))
        for song in found[:MAX_OFFERED]:
            text = _quoted(song.inserted, always_quoted)
            yield Completion(text, -len(typed), display=song.shown, display_meta=song.genre)


def tab_bindings(completer: Completer) -> KeyBindings:
    """Tab completes at once what has one completion, else opens or goes through the menu.

    The menu that opens by itself is filled in the background; a Tab that comes meanwhile would be lost.
    """
    bindings = KeyBindings()

    @bindings.add("tab")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.completions:
            buffer.complete_next()
            return
        found = list(completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
        if len(found) == 1:
            buffer.apply_completion(found[0])
        elif found:
            buffer.insert_text(get_common_complete_suffix(buffer.document, found))
            buffer.start_completion()

    return bindings


def _unfinished(text: str, options: dict[str, argparse.Action], *, pair: bool) -> tuple[str, argparse.Action | None]:
    """What is being typed at the end of ``text``: a name, or part of one, or the value of an option, which is given."""
    start, option = None, None
    for found in _TOKEN.finditer(text):
        word, at_end = found[0], found.end() == len(text)
        if option is not None:
            if at_end:
                return word, option
            option = None
        elif word in options and not at_end:
            start, option = None, options[word] if options[word].nargs is None else None
        elif word.startswith("--") or ((word == "+" or (pair and word in PAIR_WORDS)) and not at_end):
            start = found.start() if at_end else None
        elif word.startswith("-") and word != "-":
            start = found.start() + 1
        elif pair and word.startswith('"') and not at_end:  # of two names the first, whole
            start = None
        elif start is None:
            start = found.start()
    return text[len(text) if start is None else start :], option


def _words(typed: str, offered: Iterable[str]) -> Iterator[Completion]:
    """Words that begin with what is typed; where ``offered`` is a mapping, with their help."""
    for word in offered:
        if word.casefold().startswith(typed.casefold()):
            text = offered[word] if isinstance(offered, dict) else ""
            yield Completion(word, -len(typed), display_meta=text.replace("%%", "%") if isinstance(text, str) else "")


def _quoted(name: str, always: bool = False) -> str:
    """``name`` as a line must hold it."""
    if not (_NEEDS_QUOTES.search(name) or (always and re.search(r"\s", name))):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
