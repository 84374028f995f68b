import os
import platform
import sys

import lit.formats

config.name = "Sparsam"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".c", ".mlir", ".test"]
config.excludes = ["Inputs", "python", "unit", "Extension"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.sparsam_build, "test")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.sparsam_build, "bin"), config.llvm_tools, os.environ["PATH"]]
)
config.substitutions += [
    ("%plugin", os.path.join(config.sparsam_build, "lib", "SparsamPlugin.so")),
    ("%python", sys.executable),
    ("%build", config.sparsam_build),
    ("%source", config.sparsam_source),
    ("%cxx", config.cxx),
    ("%cc", config.cc),
]
if platform.machine() in ("x86_64", "AMD64"):
    config.available_features.add("x86")
if config.sanitizers:
    # The stock mlir-opt is not built with them, nor are programs of tests.
    config.excludes += ["plugin.mlir", "plugin-sparse-tensor.mlir", "library.mlir"]
