#include "sparsam/Structure/Density.h"
#include "sparsam/IR/Structure.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace mlir::sparsam;

ParseResult sparsam::emitNoDensity(AsmParser &parser) {
  return parser.emitError(parser.getCurrentLocation(),
                          "expected `density`, the share of entries that are stored, as "
                          "in `density = 0.25`");
}

ParseResult sparsam::parseDensityFields(AsmParser &parser, FailureOr<APFloat> &density,
                                        SmallVector<int64_t> &in,
                                        SmallVector<int64_t> &stack) {
  StringRef name;
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalKeyword(&name)))
    return emitNoDensity(parser);
  while (true) {
    if (!llvm::is_contained({"density", "in", "stack"}, name))
      return parser.emitError(loc)
             << "expected one of density, in, stack, found `" << name << "`";
    SmallVector<int64_t> &dims = name == "in" ? in : stack;
    if (name == "density" ? succeeded(density) : !dims.empty())
      return parser.emitError(loc) << "`" << name << "` is given twice";
    if (parser.parseEqual())
      return failure();
    if (name == "density") {
      auto number = parseNumber(parser);
      if (failed(number))
        return failure();
      density = **number;
    } else {
      auto view = parseView(parser);
      if (failed(view))
        return failure();
      dims = *view;
    }
    if (failed(parser.parseOptionalComma()))
      return succeeded(density) ? success() : emitNoDensity(parser);
    loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return failure();
  }
}

/// The shortest text that is read as the same number.
static std::string getText(double value) {
  std::string text;
  for (int digits = 1; digits <= 17; ++digits) {
    text.clear();
    llvm::raw_string_ostream(text) << llvm::format("%.*g", digits, value);
    if (std::strtod(text.c_str(), nullptr) == value)
      break;
  }
  // A literal with an exponent needs a fraction to be one.
  if (size_t exponent = text.find('e');
      exponent != std::string::npos && text.find('.') == std::string::npos)
    text.insert(exponent, ".0");
  return text;
}

void sparsam::printDensityFields(AsmPrinter &printer, const APFloat &density,
                                 ArrayRef<int64_t> in, ArrayRef<int64_t> stack) {
  printer << "density = " << getText(density.convertToDouble());
  for (auto [name, dims] : {std::pair("in", in), std::pair("stack", stack)})
    if (!dims.empty()) {
      printer << ", " << name << " = ";
      printView(printer, dims);
    }
}

bool sparsam::isDensity(double value) { return value >= 0 && value <= 1; }

LogicalResult sparsam::verifyDensity(const APFloat &density,
                                     function_ref<InFlightDiagnostic()> emitError) {
  double value = density.convertToDouble();
  if (isDensity(value))
    return success();
  return emitError() << "expected a density from 0 to 1, found " << getText(value);
}

int64_t sparsam::countAtDensity(const APFloat &density, int64_t total) {
  double stored = density.convertToDouble() * static_cast<double>(total);
  return static_cast<int64_t>(std::floor(stored + 0.5));
}
