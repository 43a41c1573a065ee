"""An argument parser that says in one sentence what is wrong, with the nearest word.

On the way of every start: imports only what is needed, when it is needed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from capture.errors import UserError, did_you_mean, nearest

_NEGATIVE = re.compile(r"-\.?\d.*")  # a number

# argparse's messages, and ours.
_MESSAGES = (
    (r"argument (\S+?)(?:/\S+)?: expected (?:one|at least one) argument", r"\1 wants a value"),
    (r"argument (\S+?)(?:/\S+)?: invalid (?:float|int) value: '(.*)'", r"\1 \2: should be a number"),
    (r"argument (\S+?)(?:/\S+)?: ignored explicit argument .*", r"\1 takes no value"),
    (r"the following arguments are required: (.*)", r"\1 is missing"),
    (r"argument (.*)", r"\1"),
)


class _Formatter(argparse.HelpFormatter):
    """Writes `-o, --output FILE` as Python 3.13 and newer do, not `-o FILE, --output FILE`."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if sys.version_info >= (3, 13) or not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


class AsWritten(_Formatter, argparse.RawDescriptionHelpFormatter):
    """Leaves the lines of a description as they are written."""


class Arguments(argparse.ArgumentParser):
    """Raises UserError where `argparse` would print its usage and exit."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **{"formatter_class": _Formatter, **settings})

    @property
    def _help(self) -> str:
        """The command that lists all options; `capture --help` has those that matter most."""
        return "capture help run" if self.prog == "capture" else f"{self.prog} --help"

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, but what is not known is an error at once, of the subcommand that does not know it."""
        self._check_first_options(args or ())
        found, unknown = super().parse_known_args(self._words_together(args), namespace)
        if unknown:
            for word in unknown:
                if word.startswith("-") and word != "-":
                    raise self._no_option(word)
            raise UserError(f"{unknown[0]!r} is one word too many; {self._help} says what is expected")
        return found, unknown

    def _check_first_options(self, words: Sequence[str]) -> None:
        """Raises UserError if one of the options before the first other word is unknown.

        argparse would take the value of an unknown option for a subcommand.
        """
        rest = iter(words)
        for word in rest:
            name, equals, _ = word.partition("=")
            if not name.startswith("-") or name in ("-", "--"):
                return
            action = self._option_string_actions.get(name)
            if action is None:
                raise self._no_option(name)
            if action.nargs is None and not equals:
                next(rest, None)  # its value

    def _words_together(self, words: Any) -> Any:
        """The words with the options behind all others: argparse takes no more of a kind after an option."""
        kinds = {action.nargs for action in self._get_positional_actions()}
        if words is None or "--" in words or kinds & {argparse.REMAINDER, argparse.PARSER}:
            return words
        plain, options = [], []
        rest = iter(words)
        for word in rest:
            if not word.startswith("-") or word == "-" or _NEGATIVE.fullmatch(word):
                plain.append(word)
                continue
            options.append(word)
            action = self._option_string_actions.get(word)
            if action is not None and action.nargs is None:
                options += [value for value in [next(rest, None)] if value is not None]
        return [*plain, *options]

    def _no_option(self, word: str) -> UserError:
        name = word.partition("=")[0]
        long = [option[2:] for option in self._option_string_actions if option.startswith("--")]
        near = nearest(name.lstrip("-"), long)
        hint = f"did you mean --{near}?" if near else f"{self._help} lists them"
        return UserError(f"there is no option {name}; {hint}")

    def error(self, message: str) -> NoReturn:
        """Raises UserError with argparse's message in plain words."""
        for pattern, words in _MESSAGES:
            if re.fullmatch(pattern, message, re.S):
                message = re.sub(pattern, words, message, flags=re.S)
                break
        raise UserError(f"{message}; see {self._help}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices: Iterable[Any] | None = action.choices
        if choices is None or value in choices:
            return
        known = [str(choice) for choice in choices]
        listed = f"should be one of {', '.join(known)}"
        if action.option_strings:
            raise UserError(f"{action.option_strings[0]} {value}: {listed}")
        raise UserError(f"{value}: {did_you_mean(str(value), known, listed)}")
