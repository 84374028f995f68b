#include "Diagnostics.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace sparsam_python;

namespace {

/// The file, line and column; of calls those of the innermost. Empty if there are none.
std::string placeText(Location location) {
  return llvm::TypeSwitch<LocationAttr, std::string>(location)
      .Case<FileLineColRange>([](FileLineColRange file) {
        return (file.getFilename().strref() + ":" + llvm::Twine(file.getStartLine()) +
                ":" + llvm::Twine(file.getStartColumn()))
            .str();
      })
      .Case<NameLoc>([](NameLoc name) { return placeText(name.getChildLoc()); })
      .Case<CallSiteLoc>([](CallSiteLoc call) { return placeText(call.getCallee()); })
      .Case<FusedLoc>([](FusedLoc fused) {
        for (Location part : fused.getLocations())
          if (std::string text = placeText(part); !text.empty())
            return text;
        return std::string();
      })
      .Default([](LocationAttr) { return std::string(); });
}

/// The place, and the outermost name around it: JAX names what an operation is part of.
std::string locationText(Location location) {
  std::string place = placeText(location);
  auto name = location->findInstanceOf<NameLoc>();
  if (!name)
    return place;
  std::string text = name.getName().str();
  return place.empty() ? text : place + " (" + text + ")";
}

const char *severityText(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Remark:
    return "remark";
  case DiagnosticSeverity::Note:
    return "note";
  }
  return "error";
}

/// A verifier's note prints the whole operation, which can be the whole module.
std::string shortened(std::string text) {
  constexpr size_t longest = 500;
  if (text.size() > longest)
    text = text.substr(0, longest) + " ...";
  return text;
}

std::string fullText(Diagnostic &diagnostic) {
  std::string text = shortened(diagnostic.str());
  for (Diagnostic &note : diagnostic.getNotes()) {
    std::string location = locationText(note.getLocation());
    text +=
        "\n  note: " + (location.empty() ? "" : location + ": ") + shortened(note.str());
  }
  return text;
}

} // namespace

std::string Message::located() const {
  bool says = llvm::StringRef(text).contains(location);
  return (says ? "" : location + ": ") + text;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context,
                                         std::vector<Message> &messages)
    : messages(messages), first(messages.size()),
      handler(context, [&messages](Diagnostic &diagnostic) {
        messages.push_back({severityText(diagnostic.getSeverity()),
                            locationText(diagnostic.getLocation()),
                            fullText(diagnostic)});
        return success();
      }) {}

std::string DiagnosticCollector::errors() const {
  std::string text;
  for (size_t i = first; i < messages.size(); ++i) {
    const Message &message = messages[i];
    if (message.severity != "error")
      continue;
    text += (text.empty() ? "" : "\n") + message.located();
  }
  return text;
}
