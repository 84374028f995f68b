"""The aims that a plan is to show, and which of them its results have no figure for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import aims
import plan
import scaling
import sparse
from tables import count_of, name_of
from widths import dense_peers

TIME = "time"
# A name in a record, and what is to be known of it.
Item = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Need:
    """Items that a record must have, together: that of one place on so many threads."""

    part: str
    threads: int
    place: str
    items: tuple[Item, ...]


@dataclasses.dataclass(frozen=True)
class Expected:
    """An aim, and all that its figure is made of."""

    name: str
    needs: tuple[Need, ...]


def times(*names: str) -> tuple[Item, ...]:
    return tuple((name, TIME) for name in names)


def aims_of(asked: dict, bits: int) -> Iterator[Expected]:
    """Those of a plan, as `plan.make` makes one."""
    for part, its_aims in PARTS.items():
        if part in asked:
            yield from its_aims(asked[part], bits)


def of_products(asked: dict, bits: int) -> Iterator[Expected]:
    shapes = [tuple(shape) for shape in asked["shapes"]]
    for label in asked["structures"]:
        if not aims.PRODUCTS.get(label):
            continue
        if 1 in asked["threads"]:
            items = times(label, *dense_peers(bits))
            needs = [Need("products", 1, name_of(s), items) for s in shapes]
            yield Expected(f"products, one thread: {label}", tuple(needs))
        large = [s for s in shapes if s not in aims.TOO_SMALL_FOR_THREADS]
        if {1, 2} <= set(asked["threads"]) and large:
            needs = [
                Need("products", threads, name_of(shape), times(label))
                for shape in large
                for threads in (1, 2)
            ]
            yield Expected(f"products, 1 → 2 threads: {label}", tuple(needs))


def of_sparse(asked: dict, bits: int) -> Iterator[Expected]:
    for storage, densities in asked["densities"].items() if asked["threads"] else ():
        for product in sparse.PRODUCTS:
            for peer in aims.SPARSE:
                if (peer, storage, product) in sparse.ABSENT:
                    continue
                needs = [
                    Need("sparse", 1, _place(kind, shape), times("sparsam", peer))
                    for shape in asked["shapes"]
                    for kind in (f"{storage} {product} at {d:g}" for d in densities)
                ]
                name = f"sparse, one thread: {storage} {product} against {peer}"
                yield Expected(name, tuple(needs))


def of_steps(asked: dict, bits: int) -> Iterator[Expected]:
    threads = aims.STEP_THREADS
    if threads not in asked["threads"]:
        return
    torch = [peer for peer in asked["peers"] if peer != "jax"]

    def one(model: str, label: str, what: str, items: tuple[Item, ...]):
        name = f"steps, {count_of(threads)}: {label} in the {model}, {what}"
        return Expected(name, (Need("steps", threads, model, items),))

    for model, labels in asked["models"].items():
        for label in labels:
            if aims.STEPS.get(model, {}).get(label):
                yield one(model, label, "times JAX", times(label, "jax"))
            yield one(model, label, "times the best PyTorch", times(label, *torch))
            if model == "gpt":
                items = ((label, "compile_seconds"), ("jax", "compile_seconds"))
                yield one(model, label, "compilation against JAX's", items)
            if model == "gpt" and label == "dense":
                items = ((label, "memory"), ("jax", "memory"))
                yield one(model, label, "memory against JAX's", items)


def of_scaling(asked: dict, bits: int) -> Iterator[Expected]:
    if not asked["threads"]:
        return
    for family, structures in scaling.FAMILIES.items():
        need = Need("scaling", 1, f"density: {family}", times(*structures.values()))
        yield Expected(f"scaling, one thread: density: {family}", (need,))
    for label in scaling.AT_WIDTHS:
        needs = [Need("scaling", 1, f"width {w}", times(label)) for w in scaling.WIDTHS]
        yield Expected(f"scaling, one thread: width: {label}", tuple(needs))


PARTS = {
    "products": of_products,
    "sparse": of_sparse,
    "steps": of_steps,
    "scaling": of_scaling,
}


def _place(what: str, shape) -> str:
    return f"{what}, {name_of(shape)}"


def place_of(part: str, record: dict) -> str:
    """What tells the records of a part apart."""
    if part == "steps":
        return record["model"]
    if part == "sparse":
        kind = f"{record['storage']} {record['product']} at {record['density']:g}"
        return _place(kind, record["shape"])
    if part == "scaling":
        if record["over"] == "density":
            return f"density: {record['family']}"
        return f"width {record['shape'][1]}"
    return name_of(record["shape"])


def _has(record: dict, item: Item) -> bool:
    name, what = item
    if what == TIME:
        return bool(record["seconds"].get(name))
    return bool(record["facts"].get(name, {}).get(what))


def _lacks(data: dict, need: Need) -> list[Item]:
    """What of the items no record has, in the one that has the most of them."""
    found = [
        [item for item in need.items if not _has(record, item)]
        for record in data[need.part]
        if record["threads"] == need.threads and place_of(need.part, record) == need.place
    ]
    return min(found, key=len, default=list(need.items))


def _why(data: dict, need: Need, name: str) -> str:
    """The reason in the results for a name that is missing, in brackets."""
    for entry in data["missing"]:
        whole = entry["what"] == "all" and name.split(".")[0] == entry["peer"]
        if entry["threads"] == need.threads and (whole or entry["what"] == name):
            return f" ({entry['why']})"
    return ""


def absent(data: dict) -> list[str]:
    """The aims of the results' plan that have no figure, each with what there is not."""
    found = []
    for aim in aims_of(data.get("plan") or plan.make(), data["run"]["bits"]):
        for need in aim.needs:
            if lacks := _lacks(data, need):
                what = ", ".join(f"{w} of {n}{_why(data, need, n)}" for n, w in lacks)
                where = f"{need.place} on {count_of(need.threads)}"
                found.append(f"{aim.name}: there is no {what}, {where}")
    return found


def not_asked(data: dict) -> list[str]:
    """The aims that the results' plan leaves out."""
    bits = data["run"]["bits"]
    asked = {aim.name for aim in aims_of(data.get("plan") or plan.make(), bits)}
    return [a.name for a in aims_of(plan.make(), bits) if a.name not in asked]
