#ifndef SPARSAM_TRANSFORMS_PASSES
#define SPARSAM_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def ImportPass : Pass<"sparsam-import", "::mlir::ModuleOp"> {
  let summary = "take in what framework importers leave";
}

def FindParametersPass : Pass<"sparsam-find-parameters", "::mlir::ModuleOp"> {
  let summary = "find parameters, their gradients and their optimizer state";
}

def ApplyStructurePass : Pass<"sparsam-apply-structure", "::mlir::ModuleOp"> {
  let summary = "give parameters their structure";
  let options = [
    Option<"structures", "structures", "std::string", /*default=*/"\"\"",
           "`glob=structure` pairs separated by `;`; the first match wins">,
  ];
}

def ExpandStoragePass : Pass<"sparsam-expand-storage", "::mlir::ModuleOp"> {
  let summary = "replace structured arguments by their storage";
}

def PropagatePass : Pass<"sparsam-propagate", "::mlir::ModuleOp"> {
  let summary = "move densify and restrict into the products";
}

#endif // SPARSAM_TRANSFORMS_PASSES
