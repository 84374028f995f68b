"""Adds up the JUnit files of a folder: prints the failures, then the closing line."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main(folder: str) -> int:
    """Prints what failed and the totals of all files; returns the exit status."""
    passed = failed = skipped = 0
    files = sorted(Path(folder).glob("*.xml"))
    for file in files:
        cases = list(ElementTree.parse(file).iter("testcase"))
        if not cases:
            print(f"failed: {file.stem} ran no test")
            failed += 1
        for case in cases:
            outcomes = {child.tag for child in case}
            if outcomes & {"failure", "error"}:
                failed += 1
                print(f"failed: {file.stem}: {case.get('classname')}.{case.get('name')}")
            elif "skipped" in outcomes or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    if not files:
        print(f"failed: no results in {folder}")
        failed += 1
    print(
        f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
