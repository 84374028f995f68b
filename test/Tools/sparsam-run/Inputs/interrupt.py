"""Ctrl-C during the steps, and a write that fails: the old results stay, and nothing else."""

import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np

module, folder = sys.argv[1:]
results = f"{folder}/out.npz"
command = ["sparsam-run", module, "--args", f"{folder}/args.npz", "--results", results]


def contents():
    with open(results, "rb") as file:
        return sorted(os.listdir(folder)), file.read()


subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
before = contents()

# The runner of the tests ignores the signal, and what it starts inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
endless = [*command, "--steps", str(1 << 60), "--progress"]
running = subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
seen = b""
while b"steps" not in seen:
    chunk = os.read(running.stderr.fileno(), 4096)
    assert chunk, running.wait()
    seen += chunk
time.sleep(0.1)
running.send_signal(signal.SIGINT)
out, _ = running.communicate(timeout=60)
assert running.returncode == -signal.SIGINT, running.returncode
assert not out and contents() == before


# Results of 8 MB where files may have 4: enough for the compiler's own.
large = """
func.func @large() -> (tensor<2000000xf32> {sparsam.name = "large"}) {
  %one = arith.constant dense<1.0> : tensor<2000000xf32>
  return %one : tensor<2000000xf32>
}
"""


def small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))


command = ["sparsam-run", "--pipeline", "sparsam-to-cpu", "--results", results]
failed = subprocess.run(
    command, input=large, preexec_fn=small_files, capture_output=True, text=True
)
assert failed.returncode == 1, failed
assert "out.npz': cannot write it: " in failed.stderr, failed.stderr
assert contents() == before
np.load(results)
