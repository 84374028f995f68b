"""Lays out the room of a new structure from the templates in tools/new-structure.

What is left to write says so: until then the tests of what needs it fail, and no others.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "tools" / "new-structure"
SIZES = {"pattern": "count", "factors": "rank"}

# Folder of a template -> where its files go.
ROOMS = {
    "include": "include/sparsam/Structure/@Name@",
    "lib": "lib/Structure/@Name@",
    "test": "test/Structure/@Name@",
    "docs": "docs",
}
WHAT_NEXT = {
    "pattern": "buildSelect, buildDensify, buildRestrict and verifyPattern; then kernels: "
    "see CpuKernels.cpp in the rooms of other patterns",
    "factors": "getTerms and buildFactorize",
}


class Refusal(Exception):
    """A name that cannot be a structure's, and why."""


def mnemonic_of(name: str) -> str:
    """`LowRank` is written `low_rank`, `NM` is written `nm`."""
    words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z][a-z0-9]*", name)
    return "_".join(words).lower()


def known_mnemonics(root: Path) -> dict[str, Path]:
    """What the structures of the tree are written as -> where they are defined."""
    found = {}
    for source in (root / "include/sparsam/Structure").glob("*/*.td"):
        for mnemonic in re.findall(r'<\s*"\w+",\s*"(\w+)"', source.read_text()):
            found[mnemonic] = source
    return found


def check(root: Path, name: str, mnemonic: str) -> None:
    """Raises Refusal for a name that is none, or that is taken."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise Refusal(
            f"'{name}' is no name of a structure: expected a C++ class name in capitals, "
            "such as BlockCirculant"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", mnemonic):
        raise Refusal(
            f"'{mnemonic}' cannot be written in #sparsam.{mnemonic}: expected lower-case "
            "letters, digits and underscores"
        )
    for place in ROOMS.values():
        folder = root / place.replace("@Name@", name)
        if "@Name@" in place and folder.exists():
            raise Refusal(
                f"there is a structure {name} already: {folder.relative_to(root)}"
            )
    if source := known_mnemonics(root).get(mnemonic):
        raise Refusal(
            f"#sparsam.{mnemonic} is in {source.relative_to(root)} already; choose another "
            "name, or another --mnemonic"
        )


def lay_out(root: Path, name: str, mnemonic: str, kind: str) -> list[Path]:
    """Writes the files of the room and returns them."""
    words = {
        "@Name@": name,
        "@NAME@": name.upper(),
        "@mnemonic@": mnemonic,
        "@test@": mnemonic.replace("_", "-"),
        "@size@": SIZES[kind],
    }

    def fill(text: str) -> str:
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text

    made = []
    for folder in (TEMPLATES / "common", TEMPLATES / kind):
        for template in sorted(folder.rglob("*.in")):
            part, *inside = template.relative_to(folder).with_suffix("").parts
            path = root / fill("/".join([ROOMS[part], *inside]))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fill(template.read_text()))
            made.append(path)
    sources = [str(path) for path in made if path.suffix in (".h", ".cpp")]
    # The names are as long as they are: lines break where they fit.
    subprocess.run(
        [
            "clang-format-22",
            f"--style=file:{ROOT / '.clang-format'}",
            "-i",
            *sources,
        ],
        check=True,
    )
    return made


def main() -> int:
    """Lays out a room and says what is left to write."""
    parser = argparse.ArgumentParser(prog="tools/dev new-structure", description=__doc__)
    parser.add_argument("name", help="of the C++ class, such as BlockCirculant")
    parser.add_argument(
        "--kind",
        choices=sorted(SIZES),
        default="pattern",
        help="pattern: some entries are stored; factors: an einsum of smaller tensors "
        "(default: pattern)",
    )
    parser.add_argument(
        "--mnemonic", help="how it is written in #sparsam.…; by default from the name"
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=ROOT,
        help="the tree to lay it out in (default: this)",
    )
    arguments = parser.parse_args()
    mnemonic = arguments.mnemonic or mnemonic_of(arguments.name)
    try:
        check(arguments.root, arguments.name, mnemonic)
        made = lay_out(arguments.root, arguments.name, mnemonic, arguments.kind)
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    for path in made:
        print(path.relative_to(arguments.root))
    print(f"left to write for #sparsam.{mnemonic}: {WHAT_NEXT[arguments.kind]}")
    print("then tools/dev docs for the reference; see docs/AddingAStructure.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
