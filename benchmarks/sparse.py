"""Single products with sparse weights, against sparse libraries on their own ground.

They get activations as features × tokens and a copy of the weights for each direction, as
their kernels like them. Ours get them row-major, as a step has them, and pack.
"""

from __future__ import annotations

from session import Session

PEERS = ("scipy", "torch", "sparsifier")
PRODUCTS = ("forward", "backward-input", "backward-weight")
SHAPES = [(512, 768, 3072), (128, 1024, 1024)]
# Storage: size of its blocks, our structure of it, densities.
PATTERNS = {
    "CSR": (1, "unstructured<density = {density}>", (0.25, 0.1, 0.05)),
    "BSR": (16, "block<16x16, density = {density}>", (0.25, 0.1)),
}
# What a library does not have; else what is missing is an error.
ABSENT = {
    ("scipy", "CSR", "backward-weight"): "scipy.sparse has no sampled product",
    ("scipy", "BSR", "backward-weight"): "scipy.sparse has no sampled product",
    ("torch", "BSR", "backward-weight"): "torch.sparse.sampled_addmm is on CSR alone",
    ("sparsifier", "BSR", "backward-weight"): "its sampled product is on CSR alone",
}


def densities(quick: bool) -> dict[str, list[float]]:
    """Storage -> the densities that a run measures."""
    return {
        storage: list(every[:1] if quick else every)
        for storage, (_, _, every) in PATTERNS.items()
    }


def measure(session: Session, shapes, densities: dict[str, list[float]]):
    for shape in shapes:
        for storage in PATTERNS:
            for density in densities[storage]:
                for product in PRODUCTS:
                    measure_one(session, shape, storage, density, product)


def measure_one(session: Session, shape, storage: str, density: float, product: str):
    block, structure, _ = PATTERNS[storage]
    name = "×".join(map(str, shape))
    session.note(f"{product} of {name} against {storage} at {density:g}")
    options = {
        "product": product,
        "shape": list(shape),
        "block": block,
        "density": density,
    }
    candidates = []
    for peer in PEERS:
        if why := ABSENT.get((peer, storage, product)):
            session.results.missing(peer, f"{product} on {storage}", why, session.threads)
            continue
        candidates.append(session.crew.make(peer, peer, "sparse", **options))
    if not any(candidates):
        return
    candidates.append(
        session.crew.make("sparsam", "sparsam", "sparse", structure=structure, **options)
    )
    record = {
        "shape": list(shape),
        "storage": storage,
        "density": density,
        "product": product,
    }
    session.measure("sparse", record, candidates)
