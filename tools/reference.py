"""Writes docs/reference from the TableGen descriptions, or checks that it is current."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LLVM = Path("/usr/lib/llvm-22")

# page: (TableGen source, generator and its options)
PAGES = {
    "Ops.md": ("include/sparsam/IR/SparsamOps.td", ["-gen-op-doc", "-dialect=sparsam"]),
    "Passes.md": ("include/sparsam/Transforms/Passes.td", ["-gen-pass-doc"]),
    "Passes-CPU.md": ("include/sparsam/Conversion/Passes.td", ["-gen-pass-doc"]),
}
# The definition of a structure, and the name that it is written with.
STRUCTURE = re.compile(r'Sparsam_(?:Structure|Pattern|Factors)<\s*"\w+",\s*"(\w+)"')


def structure_pages() -> dict[str, tuple[str, list[str]]]:
    """A page for each structure's room, by the name that the structure is written with."""
    pages = {}
    for source in sorted((ROOT / "include/sparsam/Structure").glob("*/*.td")):
        name = STRUCTURE.search(source.read_text())
        if not name:
            sys.exit(f"{source.relative_to(ROOT)}: defines no structure")
        pages[f"Structure-{name[1]}.md"] = (
            str(source.relative_to(ROOT)),
            ["-gen-attrdef-doc", "-attrdefs-dialect=sparsam"],
        )
    return pages


def generate(source: str, options: list[str], llvm: Path) -> str:
    """The Markdown that mlir-tblgen makes of one source."""
    command = [str(llvm / "bin" / "mlir-tblgen"), *options, str(ROOT / source)]
    command += [f"-I{ROOT / 'include'}", f"-I{llvm / 'include'}"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"{source}: {made.stderr.strip()}")
    return made.stdout.rstrip() + "\n"


def main() -> int:
    """Regenerates every page; with --check only says which ones have drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail on drift"
    )
    parser.add_argument("--llvm", type=Path, default=LLVM, help="where LLVM is installed")
    arguments = parser.parse_args()
    folder = ROOT / "docs" / "reference"
    drifted = []
    for page, (source, options) in (PAGES | structure_pages()).items():
        text = generate(source, options, arguments.llvm)
        path = folder / page
        if path.exists() and path.read_text() == text:
            continue
        drifted.append(page)
        if not arguments.check:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if arguments.check and drifted:
        print(f"out of date, run tools/dev docs: {', '.join(drifted)}")
        return 1
    print("nothing changed" if not drifted else f"wrote {', '.join(drifted)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
