"""What the machine can do at most: multiply-adds, and reading each level of memory."""

from __future__ import annotations

import json
import shutil
import subprocess

from session import Session

PROGRAM = "sparsam-machine"


def measure(session: Session):
    """Adds to what was measured before: others on the machine are not always there."""
    session.note("the machine")
    path = shutil.which(PROGRAM)
    if not path:
        why = f"{PROGRAM} is not on the path; it is built on x86-64"
        session.results.missing("machine", "all", why, session.threads)
        return
    command = [path, str(session.crew.width.bits), str(session.threads)]
    records = session.results.data["machine"]
    record = next((r for r in records if r["threads"] == session.threads), None)
    if not record:
        empty = {"threads": session.threads, "gflops": [], "read_gb_s": {}}
        record = session.results.add("machine", empty)
    for _ in range(session.repeats):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            why = done.stderr.strip()
            session.results.missing("machine", "all", why, session.threads)
            return
        found = json.loads(done.stdout)
        record["gflops"].append(found["gflops"])
        for level, rate in found["read_gb_s"].items():
            record["read_gb_s"].setdefault(level, []).append(rate)
    session.results.save()
