import os

import lit.formats

config.name = "Sparsam"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "python", "unit", "Install"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.sparsam_build, "test")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.sparsam_build, "bin"), config.llvm_tools, os.environ["PATH"]]
)
config.substitutions.append(
    ("%plugin", os.path.join(config.sparsam_build, "lib", "SparsamPlugin.so"))
)
