#include "sparsam/Structure/Density.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace mlir::sparsam;

FailureOr<APFloat> sparsam::parseDensity(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  Attribute number;
  if (parser.parseAttribute(number))
    return failure();
  if (auto fraction = dyn_cast<FloatAttr>(number))
    return APFloat(fraction.getValueAsDouble());
  if (auto whole = dyn_cast<IntegerAttr>(number))
    return APFloat(whole.getValue().signedRoundToDouble());
  parser.emitError(loc) << "expected a number, found " << number;
  return failure();
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

void sparsam::printDensity(AsmPrinter &printer, const APFloat &density) {
  printer << getText(density.convertToDouble());
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
