# sparsam_add_library(<name> <sources>): one of Sparsam's shared libraries, which may not
# leave symbols open and finds the others, and LLVM's, where it is installed.
function(sparsam_add_library name)
  add_library(${name} SHARED ${ARGN})
  set_target_properties(${name} PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib
    INSTALL_RPATH "$ORIGIN;${SPARSAM_LLVM_ROOT}/lib")
  if(NOT SPARSAM_SANITIZE)
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  install(TARGETS ${name} EXPORT SparsamTargets)
endfunction()
