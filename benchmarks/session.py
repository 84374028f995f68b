"""One block of measurements: a number of threads, the libraries' processes, the results."""

from __future__ import annotations

import dataclasses
import sys
import time

from results import Results
from turns import Candidate, Crew


def note(text: str):
    print(f"[bench] {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Session:
    threads: int
    repeats: int
    quick: bool
    crew: Crew
    results: Results

    def measure(self, part: str, record: dict, candidates: list[Candidate | None]):
        """Times candidates in turns and keeps that in the results; then frees them."""
        record |= {"threads": self.threads, "seconds": {}}
        record["facts"] = {c.name: c.facts for c in candidates if c}
        self.results.add(part, record)
        begin = time.monotonic()

        def after(seconds):
            record["seconds"] = seconds
            self.results.save(now=False)

        record["seconds"] = self.crew.take_turns(candidates, self.repeats, after)
        self.crew.drop(candidates)
        self.results.data["run"]["versions"] |= self.crew.versions
        self.results.save()
        note(f"  {len(record['seconds'])} took {time.monotonic() - begin:.0f} s")

    def note(self, text: str):
        note(f"{self.threads} thread{'s' * (self.threads > 1)}: {text}")
