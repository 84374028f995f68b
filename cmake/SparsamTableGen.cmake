# sparsam_structure_tablegen(<Name>): from <Name>.td in this folder, the
# attributes that it defines itself (not those it includes):
#   <Name>.h.inc  <Name>.cpp.inc   and the target Sparsam<Name>IncGen
macro(sparsam_structure_tablegen name)
  set(LLVM_TARGET_DEFINITIONS ${name}.td)
  mlir_tablegen(${name}.h.inc -gen-attrdef-decls -attrdefs-dialect=sparsam)
  mlir_tablegen(${name}.cpp.inc -gen-attrdef-defs -attrdefs-dialect=sparsam)
  add_public_tablegen_target(Sparsam${name}IncGen)
  set_property(GLOBAL APPEND PROPERTY SPARSAM_TABLEGEN_TARGETS Sparsam${name}IncGen)
endmacro()

# sparsam_pass_tablegen(<Name>): the passes of Passes.td in this folder:
#   Passes.h.inc and the target Sparsam<Name>PassIncGen
macro(sparsam_pass_tablegen name)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name=Sparsam${name})
  add_public_tablegen_target(Sparsam${name}PassIncGen)
  set_property(GLOBAL APPEND PROPERTY SPARSAM_TABLEGEN_TARGETS Sparsam${name}PassIncGen)
endmacro()
