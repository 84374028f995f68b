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


class Unreadable(Exception):
    """A file that is no results of a run, with what is wrong with it."""


class Results:
    """data: what the file holds. `missing` names every peer that was not measured; `plan` is
    what the run was to measure, all of it without one."""

    def __init__(
        self, path: Path, width: Width, arguments: dict, plan: dict | None = None
    ):
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
                "environment": width.record,
                "versions": {},
            },
            **({} if plan is None else {"plan": plan}),
            "missing": [],
            **{part: [] for part in PARTS},
        }
        path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, part: str, record: dict) -> dict:
        """`record` may change further until the next `save`."""
        self.data[part].append(record)
        return record

    def missing(self, peer: str, what: str, why: str, threads: int, wrong: bool = False):
        """wrong: it is there, but what it computes is not right."""
        entry = {"peer": peer, "what": what, "why": why, "threads": threads}
        entry |= {"wrong": True} if wrong else {}
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
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Unreadable(f"{path}: expected results as JSON: {error}") from None
    if not isinstance(data, dict) or not {"format", "run"} <= set(data):
        raise Unreadable(f"{path}: expected the results.json of a run, found other JSON")
    if data["format"] != 1:
        raise Unreadable(f"{path}: expected format 1, found {data['format']}")
    # Results of before a part was there have none of it.
    empty = {part: [] for part in ("missing", *PARTS)}
    return {**empty, **data}
