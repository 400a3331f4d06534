"""Reads the YAML that mrdib writes, and what is usual in a data set's description: mappings and
lists, one element a line or in brackets, plain and quoted texts, comments.

Anything else is refused with its line, so that nothing is taken for something that it is not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import FileError

__all__ = ["Plain", "read_yaml"]


class Plain(str):
    """A text that was written without quotes, so that it may mean a number or a truth value."""

    def value(self) -> bool | int | float | str | None:
        """What the word means: true, false and null are words, and numbers are decimal."""
        words: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
        if self in words:
            return words[self]
        if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", self):
            return int(self)
        if re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", self):
            return float(self)
        return str(self)


@dataclass
class _Line:
    number: int
    indent: int
    text: str


def read_yaml(text: str, path: Path) -> Any:
    """The value of a text: `dict`, `list`, `str` for quoted texts and `Plain` for others.

    Raises `FileError` with the line of what cannot be read.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.lstrip(" ")
        if content and not content.startswith("#") and content != "---":
            lines.append(_Line(number, len(line) - len(content), content.rstrip()))
    reader = _Reader(lines, path)
    value = reader.block(0) if lines else {}
    if reader.position < len(lines):
        raise reader.problem("is indented in another way than the lines before it")
    return value


class _Reader:
    _KEY = re.compile(
        r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{},#&*!|>%@-][^:#]*?)\s*:(?=\s|$)"""
    )
    _DEEPEST = 16

    def __init__(self, lines: list[_Line], path: Path) -> None:
        self.lines = lines
        self.path = path
        self.position = 0
        self._text = ""
        self._index = 0

    def problem(self, what: str) -> FileError:
        line = self.lines[min(self.position, len(self.lines) - 1)]
        return FileError(
            self.path, f"line {line.number} {what}; write it as in docs/Data.md of the project."
        )

    def block(self, depth: int) -> Any:
        if depth > self._DEEPEST:
            raise self.problem("is nested too deeply")
        indent = self.lines[self.position].indent
        if self.lines[self.position].text.startswith("- "):
            return self._list(indent, depth)
        return self._mapping(indent, depth)

    def _here(self, indent: int) -> _Line | None:
        if self.position >= len(self.lines) or self.lines[self.position].indent != indent:
            return None
        return self.lines[self.position]

    def _list(self, indent: int, depth: int) -> list[Any]:
        elements = []
        while (line := self._here(indent)) is not None and line.text.startswith("- "):
            rest = line.text[2:].lstrip(" ")
            if self._KEY.match(rest):
                # The first key of a mapping stands behind the dash.
                line.indent += len(line.text) - len(rest)
                line.text = rest
                elements.append(self._mapping(line.indent, depth + 1))
            else:
                elements.append(self._scalar(rest))
                self.position += 1
        return elements

    def _mapping(self, indent: int, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while (line := self._here(indent)) is not None:
            match = self._KEY.match(line.text)
            if match is None:
                raise self.problem("is not of the form 'key: value'")
            key = self._scalar(match.group(1))
            if key in mapping:
                raise self.problem(f"repeats the key '{key}'")
            rest = line.text[match.end() :].lstrip(" ")
            if rest and not rest.startswith("#"):
                mapping[str(key)] = self._scalar(rest)
                self.position += 1
                continue
            self.position += 1
            following = self.lines[self.position] if self.position < len(self.lines) else None
            is_list = following is not None and following.text.startswith("- ")
            if following is not None and (
                following.indent > indent or (is_list and following.indent == indent)
            ):
                mapping[str(key)] = self.block(depth + 1)
            else:
                mapping[str(key)] = Plain("")
        return mapping

    def _scalar(self, text: str) -> Any:
        """A value on one line, up to a comment."""
        self._text = text
        self._index = 0
        value = self._flow(0, ends="")
        rest = self._text[self._index :].strip()
        if rest and not rest.startswith("#"):
            raise self.problem("has something behind its value")
        return value

    def _flow(self, depth: int, ends: str) -> Any:
        self._blanks()
        text = self._text[self._index :]
        if depth > self._DEEPEST:
            raise self.problem("is nested too deeply")
        if text.startswith("["):
            return self._elements(depth, "]")
        if text.startswith("{"):
            pairs: list[tuple[str, Any]] = self._elements(depth, "}")
            return dict(pairs)
        if text.startswith('"'):
            match = re.match(r'"(?:[^"\\]|\\.)*"', text)
            if match is None:
                raise self.problem("has a quote that does not end")
            self._index += match.end()
            return self._unquoted(match.group(0))
        if text.startswith("'"):
            match = re.match(r"'(?:[^']|'')*'", text)
            if match is None:
                raise self.problem("has a quote that does not end")
            self._index += match.end()
            return match.group(0)[1:-1].replace("''", "'")
        if text[:1] in ("&", "*", "!", "|", ">", "%", "@", "`"):
            raise self.problem(f"uses '{text[0]}' of YAML, which is not read")
        word = re.match(rf"(?:(?!\s#)[^{re.escape(ends) if ends else chr(0)}])*", text)
        plain = word.group(0) if word else ""
        self._index += len(plain)
        return Plain(plain.strip())

    def _elements(self, depth: int, end: str) -> list[Any]:
        """What stands in brackets: elements, or pairs of keys and values in braces."""
        self._index += 1
        found: list[Any] = []
        while True:
            self._blanks()
            if self._text[self._index :].startswith(end):
                self._index += 1
                return found
            value = self._flow(depth + 1, ends=",]}:" if end == "}" else ",]}")
            if end == "}":
                self._blanks()
                if not self._text[self._index :].startswith(":"):
                    raise self.problem("has braces without 'key: value'")
                self._index += 1
                value = (str(value), self._flow(depth + 1, ends=",]}"))
            found.append(value)
            self._blanks()
            rest = self._text[self._index :]
            if rest.startswith(","):
                self._index += 1
            elif not rest.startswith(end):
                raise self.problem(f"has brackets that do not end with '{end}'")

    def _blanks(self) -> None:
        while self._text[self._index : self._index + 1] == " ":
            self._index += 1

    def _unquoted(self, quoted: str) -> str:
        # JSON lacks the escapes with two and eight digits that YAML has.
        def json_escape(match: re.Match[str]) -> str:
            digits = match.group(1) or match.group(2)
            return json.dumps(chr(int(digits, 16)))[1:-1] if digits else match.group(0)

        try:
            escapes = r"\\(?:U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|.)"
            text = re.sub(escapes, json_escape, quoted)
            value = json.loads(text)
        except ValueError:
            raise self.problem("has an escape that is not read") from None
        return str(value)
