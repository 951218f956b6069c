"""The door for text: what is plain data passes with its lines, everything else is refused with one line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from work import calls_of

from backtest.config.nodes import YamlSource, plain, scalar
from backtest.config.reader import MAX_BYTES, MAX_EVENTS, read_file, read_text
from backtest.errors import ConfigError

SOURCE = YamlSource("f.yaml", Path())
TEXTS = """True TRUE NO no ON on yes off y n Null 010 -010 00 0x1F 0o17 0b1 1_000
           12:30 2001-07-31 nan inf NaN Infinity 1e e3 . - 1.2.3 5% 1,5 ٣ ½"""


def data_of(text: str) -> object:
    tree = read_text(text, SOURCE)
    assert tree.problems == []
    return plain(tree.root)


def lines_of(text: str) -> list[str]:
    try:
        return [str(problem) for problem in read_text(text, SOURCE).problems]
    except ConfigError as error:
        return list(error.problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("999999999999999999", 999999999999999999),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("5E-1", 0.5),
        ("1e-400", 0.0),
        # Everything else is text.
        *[(text, text) for text in (*TEXTS.split(), "1" + "0" * 18)],
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1.0, scalar("-0.0")) == 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.inf", "+.Inf", "1e999", "-1e999"])
def test_numbers_that_are_not_finite_are_refused_by_name(text: str) -> None:
    assert lines_of(f"a: 1\nb:\n  c: {text}\n") == [f"f.yaml:3: b.c: found {text}, expected a finite number"]


def test_quoted_scalars_are_text() -> None:
    assert data_of("a: '1'\nb: \"true\"\nc: |\n  x\n  y\n") == {"a": "1", "b": "true", "c": "x\ny\n"}


def test_every_value_of_a_map_stands_where_its_key_does() -> None:
    root = read_text("a:\n  b:\n    - 1\n    -\n      2\n", SOURCE).root
    assert isinstance(root.value, dict)
    a = root.value["a"]
    assert isinstance(a.value, dict)
    b = a.value["b"]
    assert isinstance(b.value, list)
    assert [node.origin.line for node in (root, a, b, *b.value)] == [1, 1, 2, 3, 5]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &x 1", "f.yaml:1: a: found the anchor '&x', expected plain data"),
        ("b: 1\na: *x", "f.yaml:2: a: found the alias '*x', expected plain data"),
        ("a: !!int 3", "f.yaml:1: a: found the tag 'tag:yaml.org,2002:int', expected plain data"),
        (
            "a: !!python/name:os [x]",
            "f.yaml:1: a: found the tag 'tag:yaml.org,2002:python/name:os', expected plain data",
        ),
        ("a: ! x", "f.yaml:1: a: found the tag '!', expected plain data"),
        ("<<: {a: 1}", "f.yaml:1: found the merge key '<<', expected plain data ('extends' builds upon a file)"),
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: duplicate key, first in line 1"),
        ("a: {b: 1,\n  b: 2}", "f.yaml:2: a.b: duplicate key, first in line 1"),
        ("1: x", "f.yaml:1: found the key 1, expected text (in quotes it would be)"),
        ("true: x", "f.yaml:1: found the key true, expected text (in quotes it would be)"),
        (".inf: x", "f.yaml:1: found the key .inf, expected text (in quotes it would be)"),
        ("?\n: x", "f.yaml:1: found the key nothing, expected text (in quotes it would be)"),
        ("? [a, {b: [c]}]\n: x\n", "f.yaml:1: found a list or a map as a key, expected text"),
        ("&k a: 1", "f.yaml:1: found the anchor '&k', expected plain data"),
        ('"": 1', "f.yaml:1: found the key '', expected printable text"),
        ('"a\\nb": 1', "f.yaml:1: found the key 'a\\nb', expected printable text"),
        ('a: "\\e[31m"', "f.yaml:1: a: found the character U+001B, expected printable text"),
        ('a: "\\ud800"', "f.yaml:1: a: found the character U+D800, expected printable text"),
        ("a: 1\n--- \nb: 2", "f.yaml:3: found a second document, expected one"),
        ("a:\n\t- 1", "f.yaml:2: found a tab, expected spaces"),
        ("a: 1\nb: \x07", "f.yaml:2: found the character U+0007, expected printable text"),
        ("a: 1\nb: x\u2028y", "f.yaml:2: found the character U+2028, expected printable text"),
        ("\ufeffa: 1", "f.yaml:1: found the character U+FEFF, expected printable text"),
        (
            "a: 1\nb: c: d",
            (
                "f.yaml:2: not valid YAML: mapping values are not allowed here; expected `key: value` here and "
                "in the line above, a space behind the colon, quotes around a text with another"
            ),
        ),
        ("a: [1\nb: 2", "f.yaml:2: not valid YAML: expected ',' or ']', but got ':'"),
        ('a: "\\UFFFFFFFF"', "f.yaml:1: not valid YAML after this line (OverflowError)"),
        ("%YAML " + "9" * 5000 + ".1\n--- a", "f.yaml:1: not valid YAML after this line (ValueError)"),
    ],
)
def test_yaml_beyond_plain_data_is_refused_with_its_line(text: str, line: str) -> None:
    assert lines_of(text) == [line]


def test_what_does_not_hinder_reading_on_is_told_together() -> None:
    text = "a: &x 1\nb: *x\nc: .nan\nc: 1\n2: 3\n"
    assert [line.split(":")[1] for line in lines_of(text)] == ["1", "2", "3", "4", "5"]


def test_a_bomb_of_aliases_is_refused_without_being_built() -> None:
    pairs = zip("abcdefgh", "bcdefghi", strict=True)
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in pairs)
    told: list[str] = []
    assert calls_of(lambda: told.extend(lines_of(bomb))) < 50_000  # built, it would hold 3 ** 7 lists
    assert len(told) == 9 + 24


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("[" * 2000, "nested deeper than 20 levels"),
        ("{a: " * 2000, "nested deeper than 20 levels"),
        ("- " * 2000, "nested deeper than 20 levels"),
        ("? " * 2000, "nested deeper than 20 levels"),
        ("? " + "[" * 2000, "nested deeper than 20 levels"),
        ("a: [" + "1," * MAX_EVENTS + "]", "found more than 20,000 YAML events, expected a smaller file"),
        ("a: " + "x" * MAX_BYTES, "found more than 256 KB, expected a smaller file"),
    ],
)
def test_limits_hold_before_much_is_read(text: str, end: str) -> None:
    told: list[str] = []
    assert calls_of(lambda: told.extend(lines_of(text))) < 200 * MAX_EVENTS
    (line,) = told
    assert line.endswith(end)


def test_twenty_levels_are_allowed() -> None:
    assert lines_of("[" * 20 + "]" * 20) == []
    assert lines_of("[" * 21 + "]" * 21) == ["f.yaml:1: nested deeper than 20 levels"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xef\xbb\xbfa: 1", "x.yaml:1: found a byte order mark, expected UTF-8 without one"),
        ("a: 1".encode("utf-16"), "x.yaml:1: found a byte order mark, expected UTF-8 without one"),
        (b"a: 1\nb: \xff", "x.yaml:2: found the byte 0xFF, expected UTF-8 text"),
        (b"a: caf\xe9", "x.yaml:1: found the byte 0xE9, expected UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n\x00", "x.yaml:1: found the byte 0x89, expected UTF-8 text"),
        (b"a\x00b", "x.yaml:1: found the character U+0000, expected printable text"),
        ("é".encode() * MAX_BYTES, "x.yaml:1: found more than 256 KB, expected a smaller file"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_file(path, "x.yaml")
    assert caught.value.problems == (line,)


def test_lines_end_as_editors_end_them(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\r\nb: 1\r\nb: 2\r\n")
    (problem,) = read_file(path, "x.yaml").problems
    assert str(problem) == "x.yaml:3: b: duplicate key, first in line 2"
