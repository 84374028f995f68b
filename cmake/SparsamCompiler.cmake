# How Sparsam's own code is compiled.

# HandleLLVMOptions is left out on purpose: it changes warnings, RTTI and
# exceptions for everything. Debian's LLVM has RTTI, so no flag is needed for it.
separate_arguments(llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${llvm_definitions})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR}/include)
# As a system folder: TableGen's output is not clean under -Wall -Wextra.
include_directories(SYSTEM ${PROJECT_BINARY_DIR}/include)

add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(SPARSAM_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # The precompiled header stays valid for ccache when only its time changes.
  add_compile_options(-Xclang -fno-pch-timestamp)
endif()

find_program(SPARSAM_CCACHE ccache)
if(SPARSAM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${SPARSAM_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      ${SPARSAM_CCACHE})
endif()

find_program(SPARSAM_LLD NAMES ld.lld-22 ld.lld HINTS "${SPARSAM_LLVM_ROOT}/bin")
if(SPARSAM_LLD)
  add_link_options(-fuse-ld=lld)
endif()

if(SPARSAM_SANITIZE)
  add_compile_options(-fsanitize=${SPARSAM_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  # Debian's LLVM is built without it, so vptr checks across the border misfire.
  add_compile_options(-fno-sanitize=vptr)
  # Code of the JIT has no signature in front of its functions; the check reads past it.
  add_compile_options(-fno-sanitize=function)
  add_link_options(-fsanitize=${SPARSAM_SANITIZE})
endif()
