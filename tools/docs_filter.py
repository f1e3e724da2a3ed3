#!/usr/bin/env python3
"""Shows a header to Doxygen with its plain comments as documentation. Called by Doxygen, with the header's path."""

from __future__ import annotations

import re
import sys
from pathlib import Path

# Documentation belongs to what follows it, but for these.
CODE = re.compile(r'^(?P<code>(?:[^"/]|"(?:[^"\\]|\\.)*"|/(?!/))*[^\s"/](?:[^"/]|"(?:[^"\\]|\\.)*"|/(?!/))*?)\s*// (?P<text>.*)$')


def escaped(text: str) -> str:
    """Prose has no commands and no HTML; in backticks and in indented code everything stands for itself already."""
    if text.startswith("    "):
        return text
    parts = text.split("`")
    parts[::2] = [re.sub(r"([\\@<>#&$%\"|])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def shown(text: str) -> str:
    lines = text.splitlines()
    result, at = [], 0
    # What opens the file is about the file.
    while at < len(lines) and lines[at].startswith("//"):
        at += 1
    if at > 0:
        result += ["/// @file", *("/// " + escaped(line[3:]) for line in lines[:at]), ""]
    for line in lines[at:]:
        line = re.sub(r"__attribute__\(\(.*?\)\)+ ", "", line)
        if line.startswith("#pragma GCC") or re.match(r"\s*friend .*(= default|;$)", line):
            result.append("")
        elif found := re.match(r"^(\s*)// ?(.*)$", line):
            result.append(f"{found[1]}/// {escaped(found[2])}")
        elif found := CODE.match(line):
            # After a member: about the member. After anything else that is no declaration it is a remark.
            documents = found["code"].rstrip().endswith((";", ",", ")", "}")) or re.match(r"^\s*\w+( = \w+)?$", found["code"])
            result.append(f"{found['code']}  ///< {escaped(found['text'])}" if documents else found["code"])
        else:
            result.append(line.replace("  friend ", "  ", 1))  # Doxygen makes links to friends that lead nowhere
    return "\n".join(result) + "\n"


if __name__ == "__main__":
    sys.stdout.write(shown(Path(sys.argv[1]).read_text()))
