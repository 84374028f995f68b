"""A process that has one library loaded, and runs and times what it is asked to.

`turns.py` starts it and talks to it, one JSON object a line. Each library is alone in its
process: two pools of threads in one would find each other's threads on the cores.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
import time
import traceback


def settle(limit: float = 1.0):
    """Waits until no thread of this process spins: the next library has the cores alone."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        used = time.process_time()
        time.sleep(0.004)
        if time.process_time() - used < 0.001:
            return


class Server:
    def __init__(self, kinds: dict):
        self.kinds, self.made = kinds, {}

    def make(self, key: int, kind: str, options: dict) -> dict:
        made = self.kinds[kind](**options)
        self.made[key] = made
        return {"facts": getattr(made, "facts", {})}

    def time(self, key: int, count: int, warm: float, method: str = "run") -> dict:
        """Seconds of a call, the mean of `count`; after `warm` seconds of calls that are not
        counted."""
        run = getattr(self.made[key], method)
        gc.collect()
        gc.disable()
        end = time.perf_counter() + warm
        while time.perf_counter() < end:
            run()
        start = time.perf_counter()
        for _ in range(count):
            run()
        seconds = (time.perf_counter() - start) / count
        gc.enable()
        settle()
        return {"seconds": seconds}

    def drop(self, keys: list[int]) -> dict:
        for key in keys:
            self.made.pop(key, None)
        gc.collect()
        return {}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    # Before a library starts its threads: some have one for each processor they may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    # What libraries print must not get between our lines.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(message: dict):
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    try:
        module = importlib.import_module(f"peers.with_{options.peer}")
        module.start(options.threads)
        # It loads NumPy, whose threads count, too.
        from data import Wrong
    except (ImportError, OSError) as error:
        return send({"missing": str(error)})
    send({"version": module.version()})
    server = Server(module.KINDS)
    for line in sys.stdin:
        message = json.loads(line)
        try:
            send(getattr(server, message.pop("do"))(**message))
        except Exception as error:
            traceback.print_exc()
            why = f"{type(error).__name__}: {error}".split("\n")[0]
            send({"error": why, "wrong": isinstance(error, Wrong)})


if __name__ == "__main__":
    main()
