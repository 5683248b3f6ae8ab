"""The parser of a command: options can be anywhere between names."""

import argparse
import re
from typing import Any

from songmap.core.cli import Parser
from songmap.similar.terminal.words import BEGINS_WITH_DASH, UNLIKE


class CommandParser(Parser):
    """A command's parser: options can be anywhere between names; with ``steers``, -NAME and --unlike NAME are names too."""

    steers = False

    @property
    def options(self) -> dict[str, argparse.Action]:
        """Every way to write an option."""
        return self._option_string_actions

    @property
    def holds(self) -> argparse.Action | None:
        """What its words without an option are."""
        return next((action for action in self._actions if not action.option_strings), None)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self._arranged(self.with_values(args or ())), namespace)

    def _arranged(self, words: list[str]) -> list[str]:
        """The options, each with its value, then the words of names."""
        options: list[str] = []
        names: list[str] = []
        while words:
            word = words.pop(0)
            if self.steers and word.split("=")[0] == UNLIKE:
                names += word.split("=", 1)  # the words after it are a name, as those after -NAME
                continue
            if word == "--":
                names += [*(["--"] if self.steers else []), *words]
                break
            with_number = re.fullmatch(r"-[a-z]\d+", word)  # -n5
            option = self._option(word[:2] if with_number else word)
            if option is None and (not BEGINS_WITH_DASH.match(word) or (self.steers and not word.startswith("--"))):
                names.append(word)
                continue
            options.append(word)
            if option is not None and option.nargs is None and not with_number and "=" not in word:
                if not words:
                    self.error(f"argument {word}: expected one argument")
                options.append(words.pop(0))
        return [*options, *(["--"] if any(map(BEGINS_WITH_DASH.match, names)) else []), *names]

    def _option(self, word: str) -> argparse.Action | None:
        """The option that a word names, a long one by its beginning too."""
        known, word = self.options, word.split("=")[0]
        if word.startswith("--"):
            return known.get(word) or next((known[name] for name in known if name.startswith(word)), None)
        if word.startswith("-") and f"-{word}" in known:
            self.error(f"no option {word}; did you mean -{word}?")
        return known.get(word)
