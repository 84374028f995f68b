"""The page of each structure in docs/structures says all that a page has to say, and numbers
its constraints as the verifier's description and its tests do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "structures").glob("*.md"))
# Heading -> how a page may put it.
HEADINGS = {
    "Definition": "Definition",
    "Storage": "Storage",
    "Constraints": "Constraints",
    "what compress makes": "Selection|Initialisation",
    "Gradient": "Gradient",
    "Cost": "Cost",
    "State": "State",
    "When to use it": "When to use it",
    "the paper": "Sources?",
}


def room_of(mnemonic: str) -> str:
    """The folder of the structure that is written so."""
    (found,) = (
        source.parent.name
        for source in (ROOT / "include/sparsam/Structure").glob("*/*.td")
        if re.search(rf'<\s*"\w+",\s*"{mnemonic}"', source.read_text())
    )
    return found


def numbers(pattern: str, text: str) -> list[int]:
    return [int(number) for number in re.findall(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_is_complete(page):
    text = page.read_text()
    missing = [
        what
        for what, heading in HEADINGS.items()
        if not re.search(rf"^\*\*({heading})\.?\*\*", text, re.MULTILINE)
    ]
    assert not missing
    assert text.startswith(f"# `#sparsam.{page.stem}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_constraints_are_numbered_alike(page):
    room = room_of(page.stem)
    (source,) = (ROOT / "include/sparsam/Structure" / room).glob("*.td")
    (errors,) = (ROOT / "test/Structure" / room).glob("*-errors.mlir")
    listed = source.read_text().split("Constraints:")[1].split("}];")[0]
    on_page = re.split(r"^\*\*Constraints", page.read_text(), flags=re.MULTILINE)[1]
    described = numbers(r"^ +(\d+)\. ", listed)
    assert numbers(r"^(\d+)\. ", on_page.split("\n\n**")[0]) == described
    assert numbers(r"^// Constraint (\d+)\.", errors.read_text()) == described
    assert described == list(range(1, len(described) + 1))
