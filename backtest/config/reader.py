"""From a YAML file to nodes: the only door through which text enters the project.

PyYAML's events are turned into nodes here, and nothing else of it is used. What YAML has beyond plain data (anchors,
aliases, tags, merge keys, several documents) is refused, and so are duplicate keys, of which PyYAML keeps the last.
Limits on size, depth and events keep any file below a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from backtest.config.nodes import (
    UNUSABLE,
    Node,
    NodePath,
    Origin,
    Problem,
    Scalar,
    YamlSource,
    dotted,
    quoted,
    refusal,
    scalar,
    scalar_or_none,
)
from backtest.errors import ConfigError

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 20
MAX_EVENTS: Final = 20_000

# PyYAML ends a line at U+0085, U+2028 and U+2029 as well, editors do not: line numbers would differ.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NO_TEXT = re.compile(f"\t|{_CONTROL.pattern}")
_TOO_LARGE: Final = f"found more than {MAX_BYTES // 1024} KB, expected a smaller file"


class Tree(NamedTuple):
    """A document, and those mistakes in it that did not hinder reading on."""

    root: Node
    problems: list[Problem]


def read_file(path: Path, name: str) -> Tree:
    """Read a file; `name` is what messages call it.

    Raises OSError when it cannot be opened, ConfigError with one line when it is not YAML or passes a limit.
    """
    source = YamlSource(name, path.parent)
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise refusal([Problem(Origin(source, 1), "", "found a byte order mark, expected UTF-8 without one")])
    if len(content) > MAX_BYTES:
        raise refusal([Problem(Origin(source, 1), "", _TOO_LARGE)])
    try:
        return read_text(content.decode("utf-8"), source)
    except UnicodeDecodeError as error:
        origin = Origin(source, content.count(b"\n", 0, error.start) + 1)
        wrong = f"found the byte 0x{content[error.start]:02X}, expected UTF-8 text"
        raise refusal([Problem(origin, "", wrong)]) from None


def read_text(text: str, source: YamlSource, *, has_lines: bool = True, prefix: NodePath = ()) -> Tree:
    """Read a document from memory.

    has_lines: False for a value of the command line, whose key is then `prefix`.
    """
    reader = _Reader(source, has_lines=has_lines, prefix=prefix)
    if len(text) > MAX_BYTES:
        raise reader.stopped(_TOO_LARGE)
    if odd := _NO_TEXT.search(text):
        reader.line = text.count("\n", 0, odd.start()) + 1
        raise reader.stopped(f"found {_character(odd[0])}")
    return reader.tree(text)


_HINTS = {
    "mapping values are not allowed": "; expected `key: value` here and in the line above, a space behind the colon, "
    "quotes around a text with another",
    "found unknown escape": "; in double quotes a backslash begins an escape: write / or single quotes",
}
"""What to do about PyYAML's words for two mistakes that look right: `key:1`, and a path of Windows."""


@dataclass(slots=True)
class _Reader:
    """Events in, nodes out."""

    source: YamlSource
    has_lines: bool
    prefix: NodePath
    problems: list[Problem] = field(default_factory=list)
    line: int = 1

    def tree(self, text: str) -> Tree:
        try:
            stream = self.events(text)
            first = next(stream, None)
            root = Node(None, self.here()) if first is None else self.node(first, stream, self.prefix, self.here())
            if next(stream, None) is not None:
                raise self.stopped("found a second document, expected one")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.line = mark.line + 1 if mark else self.line
            said = quoted(error.problem or error.context or "")[1:-1]
            hint = next((hint for start, hint in _HINTS.items() if said.startswith(start)), "")
            raise self.stopped(f"not valid YAML: {said}{hint}") from None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # PyYAML lets these escape: "\UFFFFFFFF" in quotes, %YAML with 5,000 digits.
            raise self.stopped(f"not valid YAML after this line ({type(error).__name__})") from None
        return Tree(root, self.problems)

    def events(self, text: str) -> Iterator[yaml.Event]:
        """The events that carry content; notes their lines and stops at the limits."""
        depth = 0
        for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            if event.start_mark is not None:
                self.line = event.start_mark.line + 1
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise self.stopped(f"nested deeper than {MAX_DEPTH} levels")
            if count >= MAX_EVENTS:
                raise self.stopped(f"found more than {MAX_EVENTS:,} YAML events, expected a smaller file")
            if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                yield event

    def node(self, event: yaml.Event, stream: Iterator[yaml.Event], path: NodePath, at: Origin) -> Node:
        """The node that begins with `event`; `at` is where it, or its key, stands."""
        is_flawed = self.is_beyond_data(event, path)
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, path, at)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Node(self.children(stream, path), at)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(self.items(stream, path), at)
        else:
            node = Node(UNUSABLE, at)
        return replace(node, is_flawed=True) if is_flawed else node

    def children(self, stream: Iterator[yaml.Event], path: NodePath) -> dict[str, Node]:
        children: dict[str, Node] = {}
        while not isinstance(event := next(stream), yaml.MappingEndEvent):
            at = self.here()
            key = self.key(event, stream, path)
            event = next(stream)
            child = self.node(event, stream, (*path, "?" if key is None else key), at)
            if key is not None and children.setdefault(key, child) is not child:
                first = children[key].origin.line
                self.problem((*path, key), f"duplicate key{f', first in line {first}' if first else ''}", at)
        return children

    def items(self, stream: Iterator[yaml.Event], path: NodePath) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(stream), yaml.SequenceEndEvent):
            items.append(self.node(event, stream, (*path, len(items)), self.here()))
        return items

    def key(self, event: yaml.Event, stream: Iterator[yaml.Event], path: NodePath) -> str | None:
        """The text of a key, or None after reporting that it is not text."""
        at = self.here()
        if self.is_beyond_data(event, path):
            self.skip(event, stream)
        elif not isinstance(event, yaml.ScalarEvent):
            self.skip(event, stream)
            self.problem(path, "found a list or a map as a key, expected text", at)
        elif event.style is None and event.value == "<<":
            self.problem(path, "found the merge key '<<', expected plain data ('extends' builds upon a file)", at)
        elif event.style is None and not isinstance(scalar_or_none(event.value), str):
            self.problem(path, f"found the key {event.value or 'nothing'}, expected text (in quotes it would be)", at)
        elif not event.value or not event.value.isprintable():
            self.problem(path, f"found the key {quoted(event.value)}, expected printable text", at)
        else:
            return event.value
        return None

    def skip(self, event: yaml.Event, stream: Iterator[yaml.Event]) -> None:
        """Pass over the rest of a node."""
        depth = int(isinstance(event, yaml.CollectionStartEvent))
        while depth:
            event = next(stream)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)

    def scalar(self, event: yaml.ScalarEvent, path: NodePath, at: Origin) -> Node:
        value: Scalar = event.value
        if event.style is None:
            try:
                value = scalar(event.value)
            except ValueError:
                self.problem(path, f"found {event.value}, expected a finite number", at)
                return Node(UNUSABLE, at, event.value, is_flawed=True)
        if isinstance(value, str) and (odd := _CONTROL.search(value)):
            self.problem(path, f"found {_character(odd[0])}", at)
            return Node(UNUSABLE, at, event.value, is_flawed=True)
        return Node(value, at, event.value, is_quoted=event.style is not None)

    def is_beyond_data(self, event: yaml.Event, path: NodePath) -> bool:
        """Whether the event uses YAML beyond plain data; reports it."""
        if isinstance(event, yaml.AliasEvent):
            found = f"the alias {quoted('*' + str(event.anchor))}"
        elif isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            found = f"the anchor {quoted('&' + event.anchor)}"
        elif (tag := getattr(event, "tag", None)) is not None:
            found = f"the tag {quoted(tag)}"
        else:
            return False
        self.problem(path, f"found {found}, expected plain data", self.here())
        return True

    def here(self) -> Origin:
        return Origin(self.source, self.line if self.has_lines else 0)

    def problem(self, path: NodePath, text: str, at: Origin) -> None:
        self.problems.append(Problem(at, dotted(path), text))

    def stopped(self, text: str) -> ConfigError:
        return refusal([Problem(self.here(), dotted(self.prefix), text)])


def _character(odd: str) -> str:
    return "a tab, expected spaces" if odd == "\t" else f"the character U+{ord(odd):04X}, expected printable text"
