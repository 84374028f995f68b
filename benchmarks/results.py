"""What was measured, written to a file as it comes: a run that is cut short keeps it."""

from __future__ import annotations

import datetime
import json
import os
import platform
import time
from pathlib import Path

from widths import Width, cpu_info

PARTS = ("machine", "products", "sparse", "steps", "scaling", "threads")


class Results:
    """data: what the file holds. `missing` names every peer that was not measured."""

    def __init__(self, path: Path, width: Width, arguments: dict):
        self.path = path
        self.written = 0.0
        self.data = {
            "format": 1,
            "run": {
                "started": datetime.datetime.now().astimezone().isoformat("T", "seconds"),
                "cpu": width.cpu,
                "bits": width.bits,
                "processor": cpu_info("model name") or platform.processor(),
                "processors": len(os.sched_getaffinity(0)),
                "arguments": arguments,
                "versions": {},
            },
            "missing": [],
            **{part: [] for part in PARTS},
        }
        path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, part: str, record: dict) -> dict:
        """`record` may change further until the next `save`."""
        self.data[part].append(record)
        return record

    def missing(self, peer: str, what: str, why: str, threads: int):
        entry = {"peer": peer, "what": what, "why": why, "threads": threads}
        if entry not in self.data["missing"]:
            self.data["missing"].append(entry)

    def save(self, now: bool = True):
        """Replaces the file as a whole; without `now`, not every time."""
        if not now and time.monotonic() - self.written < 2:
            return
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.data, indent=1) + "\n")
        temporary.replace(self.path)
        self.written = time.monotonic()


def load(path: Path) -> dict:
    data = json.loads(path.read_text())
    if data.get("format") != 1:
        raise ValueError(f"{path} is of format {data.get('format')}, not 1")
    return data
