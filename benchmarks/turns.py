"""Processes that take turns: every library in one of its own, one of them running at a time."""

from __future__ import annotations

import dataclasses
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from widths import Width

HERE = Path(__file__).resolve().parent
# Seconds that a library may take to answer.
PATIENCE = 900
# A turn is a number of calls that take so many seconds.
TURN = 0.02
# Before a turn, calls for as long that are not counted: they bring back into the caches what
# the turns of the others, and collecting garbage, drove out. To a call that takes ten turns
# that makes no difference.
WARM = TURN
LONG = 10 * TURN


class Lost(Exception):
    """A process that is not there, or not any more, with the reason."""


class Failed(Exception):
    """What a library did not do, with its own message."""


class Wrong(Failed):
    """What it did, with a result that is not the right one."""


class Worker:
    """peer: a library, and behind it what tells its processes apart where it has several."""

    def __init__(self, peer: str, threads: int, width: Width, log: Path):
        self.peer, self.library = peer, peer.split()[0]
        env = width.environment(peer) | {"SPARSAM_BENCH_CPU": width.cpu}
        for name in ("OMP", "OPENBLAS", "MKL"):
            env[f"{name}_NUM_THREADS"] = str(threads)
        env.setdefault("JAX_PLATFORMS", "cpu")
        program = str(HERE / "worker.py")
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, program, self.library, f"--threads={threads}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
            )
        self.buffer = b""
        ready = self._read()
        if "missing" in ready:
            self.close()
            raise Lost(ready["missing"])
        self.version = ready["version"]

    def ask(self, do: str, **message) -> dict:
        try:
            self.process.stdin.write(json.dumps({"do": do, **message}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Lost(self._end()) from None
        answer = self._read()
        if "error" in answer:
            raise (Wrong if answer["wrong"] else Failed)(answer["error"])
        return answer

    def _read(self) -> dict:
        end = time.monotonic() + PATIENCE
        while b"\n" not in self.buffer:
            left = max(0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                self.process.kill()
                raise Lost(f"no answer within {PATIENCE} s")
            read = os.read(self.process.stdout.fileno(), 65536)
            if not read:
                raise Lost(self._end())
            self.buffer += read
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def _end(self) -> str:
        return f"its process ended with status {self.process.wait()}; see the log"

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


@dataclasses.dataclass
class Candidate:
    """One thing to be timed: `name` in the results, made by `worker` under `key`."""

    name: str
    worker: Worker
    key: int
    facts: dict
    method: str = "run"
    count: int = 1
    warm: float = 0

    def time(self, count: int) -> float:
        answer = self.worker.ask(
            "time", key=self.key, count=count, warm=self.warm, method=self.method
        )
        return answer["seconds"]

    def calibrate(self):
        """How many calls make a turn."""
        # The first call may be slow for once.
        self.time(1)
        seconds = self.time(1)
        if seconds < LONG:
            self.warm = WARM
            self.count = max(1, min(100_000, int(TURN / self.time(1))))


class Crew:
    """The processes of one number of threads and one width, started when they are needed.

    on_missing: told of what is not there or does not work: peer, what, why, and whether it
        computed something wrong.
    """

    def __init__(
        self,
        threads: int,
        width: Width,
        log: Path,
        on_missing: Callable[[str, str, str, bool], None],
    ):
        self.threads, self.width, self.log = threads, width, log
        self.on_missing = on_missing
        self.workers: dict[str, Worker | None] = {}
        self.keys = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in filter(None, self.workers.values()):
            worker.close()

    @property
    def versions(self) -> dict[str, str]:
        return {w.library: w.version for w in self.workers.values() if w}

    def _get(self, peer: str) -> Worker | None:
        if peer not in self.workers:
            try:
                self.workers[peer] = Worker(peer, self.threads, self.width, self.log)
            except Lost as lost:
                self.workers[peer] = None
                self.on_missing(peer, "all", str(lost), False)
        return self.workers[peer]

    def make(self, name: str, peer: str, kind: str, **options) -> Candidate | None:
        """None where the peer is missing or cannot do it, which is then in the results."""
        worker = self._get(peer)
        if worker is None:
            return None
        self.keys += 1
        try:
            answer = worker.ask("make", key=self.keys, kind=kind, options=options)
        except (Lost, Failed) as error:
            self._gone(worker, name, error)
            return None
        return Candidate(name, worker, self.keys, {"peer": peer, **answer["facts"]})

    def _gone(self, worker: Worker, name: str, error: Exception):
        if isinstance(error, Lost) and self.workers.get(worker.peer) is worker:
            # Another process takes over for what comes next.
            del self.workers[worker.peer]
        self.on_missing(worker.peer, name, str(error), isinstance(error, Wrong))

    def take_turns(
        self,
        candidates: list[Candidate | None],
        repeats: int,
        after: Callable[[dict[str, list[float]]], None] = lambda seconds: None,
    ) -> dict[str, list[float]]:
        """Seconds of each, round by round, the first round not counted. `after` sees what
        there is after each round."""
        present = [c for c in candidates if c]
        seconds: dict[str, list[float]] = {c.name: [] for c in present}

        def turn(candidate: Candidate, run: Callable):
            try:
                return run()
            except (Lost, Failed) as error:
                present.remove(candidate)
                del seconds[candidate.name]
                self._gone(candidate.worker, candidate.name, error)

        for candidate in list(present):
            turn(candidate, candidate.calibrate)
        for number in range(-1, repeats):
            # Another one begins each time, so that no one always follows the same.
            first = (number + 1) % max(1, len(present))
            for candidate in present[first:] + present[:first]:
                took = turn(candidate, lambda c=candidate: c.time(c.count))
                if number >= 0 and took is not None:
                    seconds[candidate.name].append(took)
            after(seconds)
        return seconds

    def drop(self, candidates: list[Candidate | None]):
        """What they hold is freed."""
        for worker in {id(c.worker): c.worker for c in candidates if c}.values():
            keys = [c.key for c in candidates if c and c.worker is worker]
            try:
                worker.ask("drop", keys=keys)
            except (Lost, Failed) as error:
                self._gone(worker, "all", error)
