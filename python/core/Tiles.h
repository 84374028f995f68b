// Tile sizes of structured products, for Python.
#ifndef SPARSAM_PYTHON_CORE_TILES_H
#define SPARSAM_PYTHON_CORE_TILES_H

#include "Module.h"

#include <nanobind/nanobind.h>

namespace sparsam_python {

/// Module.products, as _core.pyi has it.
nanobind::list describeProducts(Module &module, const std::string &cpu, int64_t threads,
                                const std::string &tiles);

/// find_tiles and add_tiles.
void bindTiles(nanobind::module_ &m);

} // namespace sparsam_python

#endif // SPARSAM_PYTHON_CORE_TILES_H
