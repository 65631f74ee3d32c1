"""Writes docs/cpp.md, the C++ reference, from the comments of the public headers.

python docs/make_cpp.py            # writes it
python docs/make_cpp.py --check    # ends with 1 when it is not what the headers say
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "cpp.md"
INSTALLED = (ROOT / "cmake" / "RiataInstall.cmake").read_text(encoding="utf-8")
HEADERS = re.search(r"set\(riata_headers([^)]*)\)", INSTALLED)[
    1
].split()  # what is installed is what is documented
OPENING = """# C++ reference

The public headers below `cpp/include/riata`, by the comments in them; `python docs/make_cpp.py` writes this
page. [`examples/cpp`](../examples/cpp) has whole programs; link `riata::core` of `find_package(riata)`. The
namespace is `riata`.
"""


def main() -> int:
    """Write the page, or compare it."""
    page = OPENING + "".join(section(name) for name in HEADERS)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print("docs/cpp.md is not what the headers say: run python docs/make_cpp.py")
    return 1


def section(name: str) -> str:
    """What a header says: each comment in prose, over the declarations that it is about."""
    text = (ROOT / "cpp" / "include" / "riata" / name).read_text(encoding="utf-8")
    before, inside = text.split("namespace riata {\n", 1)
    out = [f"\n## `riata/{name}`\n"]
    about = comment_of(before.splitlines())
    if about:
        out.append(f"\n{about}\n")
    for said, code in declarations(inside.rsplit("}  // namespace riata", 1)[0].splitlines()):
        out.append(f"\n{said}\n" if said else "")
        out.append(f"\n```cpp\n{code}\n```\n")
    return "".join(out)


def declarations(lines: list[str]) -> list[tuple[str, str]]:
    """(comment, code) of each declaration; those without a comment stand with the one before."""
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(lines):
        said = []
        while at < len(lines) and lines[at].startswith("///"):
            said.append(lines[at])
            at += 1
        code, depth = [], 0
        while at < len(lines):
            line = lines[at]
            at += 1
            code.append(line)
            bare = re.sub(r'//.*|"[^"]*"', "", line)
            depth += bare.count("{") + bare.count("(") - bare.count("}") - bare.count(")")
            if depth == 0 and bare.rstrip().endswith((";", "}")):
                break
            if not line.strip() and depth == 0:
                break
        shown = "\n".join(without_private(code)).strip()
        if re.fullmatch(r"(class|struct) \w+;|", shown):  # announced only
            continue
        if said or not out:
            out.append((comment_of(said), shown))
        else:
            out[-1] = (out[-1][0], f"{out[-1][1]}\n{shown}")
    return out


def without_private(code: list[str]) -> list[str]:
    """The public part of a class."""
    for end, line in enumerate(code):
        if line.strip() in ("private:", "protected:"):
            kept = code[:end]
            while kept and not kept[-1].strip():
                kept.pop()
            return [*kept, "};"]
    return code


def comment_of(lines: list[str]) -> str:
    """The text of ``///`` lines, a line of the page each paragraph's."""
    said = [line.strip().removeprefix("///").strip() for line in lines if line.strip().startswith("///")]
    return "\n".join(said).replace("<", "&lt;").strip()


if __name__ == "__main__":
    sys.exit(main())
