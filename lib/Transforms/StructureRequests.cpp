#include "StructureRequests.h"

using namespace mlir;
using namespace mlir::sparsam;

FailureOr<SmallVector<StructureRequest>> sparsam::parseStructureRequests(StringRef text,
                                                                         Location loc) {
  SmallVector<StructureRequest> requests;
  SmallVector<StringRef> items;
  text.split(items, ';', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef item : items) {
    if (item.trim().empty())
      continue;
    auto [glob, structureText] = item.split('=');
    glob = glob.trim();
    structureText = structureText.trim();
    // As documentation and IR write it.
    structureText.consume_front("#sparsam.");
    if (glob.empty() || structureText.empty())
      return emitError(loc) << "expected `glob=structure`, found `" << item.trim() << "`";
    StructureRequest request{glob.str(), {}};
    if (structureText != "dense") {
      auto structure = parseStructure(structureText, loc);
      if (failed(structure))
        return failure();
      request.structure = *structure;
    }
    requests.push_back(request);
  }
  return requests;
}

bool sparsam::matchesGlob(StringRef glob, StringRef path) {
  SmallVector<StringRef> pieces;
  glob.split(pieces, '*');
  if (pieces.size() == 1)
    return glob == path;
  // The ends are fixed, each piece between is taken where it is found first.
  if (!path.consume_front(pieces.front()) || !path.consume_back(pieces.back()))
    return false;
  for (StringRef piece : ArrayRef(pieces).drop_front().drop_back()) {
    size_t found = path.find(piece);
    if (found == StringRef::npos)
      return false;
    path = path.drop_front(found + piece.size());
  }
  return true;
}
