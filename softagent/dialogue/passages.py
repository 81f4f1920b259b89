"""A long text cut into passages that answer a question by themselves: by heading and paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator

PASSAGE_CHARACTERS = 500
"""Short paragraphs under one heading go together up to this; a longer one is cut at a sentence."""

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_UNDERLINE = re.compile(r"(=|-){3,}")
_ITEM = re.compile(r"[-*+•]\s+|\d{1,3}[.)]\s+|\|")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")


def passages(text: str) -> list[str]:
    """The passages of Markdown or plain text, each with the headings above it in front."""
    found: list[str] = []
    for headings, paragraphs in _sections(text):
        title = f"{', '.join(headings)}: " if headings else ""
        pieces = [piece for part in paragraphs for piece in _cut(part)]
        found.extend(title + body for body in _packed(pieces))
    return found


def _sections(text: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The paragraphs under each heading, with that heading and those above it."""
    path: list[tuple[int, str]] = []
    paragraphs: list[str] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = [line.strip() for line in block.strip("\n").splitlines()]
        body: list[str] = []
        for number, line in enumerate(lines):
            after = lines[number + 1] if number + 1 < len(lines) else ""
            if _UNDERLINE.fullmatch(line):
                continue
            level, title = _heading(line, after)
            if not level:
                body.append(line)
                continue
            if body:
                paragraphs.append(_joined(body))
                body = []
            if paragraphs:
                yield tuple(name for _, name in path), paragraphs
                paragraphs = []
            path = [*(known for known in path if known[0] < level), (level, title)]
        if any(body):
            _add(paragraphs, body)
    if paragraphs:
        yield tuple(name for _, name in path), paragraphs


def _heading(line: str, after: str) -> tuple[int, str]:
    """Level and words of a heading; level 0 for any other line."""
    if match := _HEADING.fullmatch(line):
        return len(match[1]), match[2]
    if line and not _ITEM.match(line) and (under := _UNDERLINE.fullmatch(after)):
        return (1 if under[1] == "=" else 2), line
    return 0, ""


def _add(paragraphs: list[str], lines: list[str]) -> None:
    """A new paragraph; a list belongs to the sentence before it."""
    if paragraphs and paragraphs[-1].endswith(":") and _ITEM.match(lines[0]):
        paragraphs[-1] = f"{paragraphs[-1]} {_joined(lines)}"
    else:
        paragraphs.append(_joined(lines))


def _joined(lines: list[str]) -> str:
    """Lines as running text, the items of a list as sentences."""
    text = ""
    for line in filter(None, lines):
        if text and _ITEM.match(line) and text[-1] not in ".!?:;,。":
            text += "."
        text += f" {line}"
    return text.strip()


def _cut(paragraph: str) -> Iterator[str]:
    """A paragraph that is too long, cut between its sentences, or else between words."""
    piece = ""
    for sentence in _SENTENCE_END.split(paragraph):
        while len(sentence) > PASSAGE_CHARACTERS:
            end = sentence.rfind(" ", 1, PASSAGE_CHARACTERS) + 1 or PASSAGE_CHARACTERS
            yield from filter(None, (piece, sentence[:end].strip()))
            piece, sentence = "", sentence[end:]  # noqa: PLW2901 - the rest of it
        if piece and len(piece) + len(sentence) >= PASSAGE_CHARACTERS:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}".strip()
    if piece:
        yield piece


def _packed(pieces: list[str]) -> Iterator[str]:
    """Short pieces put together."""
    body = ""
    for piece in pieces:
        if body and len(body) + len(piece) >= PASSAGE_CHARACTERS:
            yield body
            body = ""
        body = f"{body} {piece}".strip()
    if body:
        yield body
