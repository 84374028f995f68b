"""The recipes of docs/recipes, in short: they train, and each page says what its script prints."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "examples" / "recipes"
PAGES = sorted(p for p in (ROOT / "docs" / "recipes").glob("*.md") if p.stem != "README")


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(RECIPES)
    return importlib.import_module


def rows_of(page: str) -> list[str]:
    text = (ROOT / "docs" / "recipes" / f"{page}.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| [\d.]+ ", text, re.MULTILINE)
    return [row.replace("`", "") for row in rows]


@pytest.mark.parametrize(
    "page", ["one-shot", "gradual", "rigl", "lottery-ticket", "movement"]
)
def test_pruning(recipe, page):
    found = recipe(page.replace("-", "_")).run(steps=60, seed=0)
    assert list(found) == rows_of(page)
    # Every structured model that was trained after it was pruned has learned.
    trained = [
        accuracy
        for name, accuracy in found.items()
        if not re.search("at once$|after training|before|1 %", name)
    ]
    assert min(trained) > 30, found
    assert found["dense"] > 80, found


@pytest.mark.parametrize("page", ["lora", "low-rank"])
def test_fine_tuning(recipe, page):
    found = recipe(page.replace("-", "_")).run(steps=12, seed=0)
    assert list(found) == rows_of(page)
    before = found["before fine-tuning"]
    trained = [bits for name, bits in found.items() if "before" not in name]
    # Thirty-six steps from random weights, then twelve: below six bits a character, which
    # is what a guess costs, and dense training goes on.
    assert max(trained) < 6, found
    assert min(trained) < before, found
    # What is trained on gets better than it began: an adapter begins as the model itself.
    start = {"lora": "before fine-tuning", "low-rank": "cut to rank 64"}[page]
    end = {"lora": "LoRA, r = 8", "low-rank": "rank 64, trained on"}[page]
    assert found[end] < found[start] - 0.005, found


def test_every_recipe_has_a_page():
    scripts = {p.stem for p in RECIPES.glob("*.py")} - {
        "digits",
        "scripture",
        "reporting",
    }
    assert {p.stem.replace("-", "_") for p in PAGES} == scripts
