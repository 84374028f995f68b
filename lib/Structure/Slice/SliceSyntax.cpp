// The text of slice: axes, each begun by its group, and their segments.
#include "sparsam/Structure/Slice/Slice.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct Text {
  SmallVector<StringAttr> groups;
  SmallVector<int64_t> keeps, places, in, stack;
  std::optional<APFloat> share;
};

} // namespace

/// `[0:3x12x64, ...]`.
static ParseResult parseSegments(AsmParser &parser, int64_t side, Text &text) {
  if (text.groups.empty())
    return parser.emitError(parser.getCurrentLocation(),
                            "expected the group of an axis before its segments");
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        int64_t offset;
        SmallVector<int64_t> sizes;
        SMLoc loc = parser.getCurrentLocation();
        if (parser.parseInteger(offset) || parser.parseColon() ||
            parser.parseDimensionList(sizes, /*allowDynamic=*/false,
                                      /*withTrailingX=*/false))
          return failure();
        if (sizes.size() != 3)
          return parser.emitError(loc) << "expected offset:outer x size x inner, as in "
                                          "0:3x12x64, found "
                                       << sizes.size() << " sizes";
        text.places.append({static_cast<int64_t>(text.groups.size()) - 1, side, offset});
        llvm::append_range(text.places, sizes);
        return success();
      });
}

static ParseResult parseKeep(AsmParser &parser, Text &text) {
  if (text.keeps.size() == text.groups.size())
    text.groups.push_back(StringAttr::get(parser.getContext(), ""));
  int64_t count;
  OptionalParseResult whole = parser.parseOptionalInteger(count);
  if (whole.has_value()) {
    text.keeps.push_back(count);
    return *whole;
  }
  double share;
  if (parser.parseFloat(share))
    return failure();
  text.share = APFloat(share);
  text.keeps.push_back(0);
  return success();
}

static ParseResult parseItem(AsmParser &parser, Text &text) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name) || parser.parseEqual())
    return failure();
  if (name == "group") {
    std::string group;
    if (text.keeps.size() != text.groups.size())
      return parser.emitError(loc, "expected `keep` after the group before this one");
    if (parser.parseString(&group))
      return failure();
    text.groups.push_back(StringAttr::get(parser.getContext(), group));
    return success();
  }
  if (name == "keep") {
    if (text.keeps.size() == text.groups.size() && !text.groups.empty())
      return parser.emitError(loc, "expected a group before another `keep`");
    return parseKeep(parser, text);
  }
  if (name == "rows" || name == "columns")
    return parseSegments(parser, name == "columns", text);
  if (name != "in" && name != "stack")
    return parser.emitError(loc) << "expected group, keep, rows, columns, in or stack, "
                                 << "found `" << name << "`";
  auto dims = parseView(parser);
  if (failed(dims))
    return failure();
  (name == "in" ? text.in : text.stack) = std::move(*dims);
  return success();
}

Attribute SliceAttr::parse(AsmParser &parser, Type) {
  Text text;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater,
                                     [&] { return parseItem(parser, text); }))
    return {};
  if (text.keeps.size() != text.groups.size()) {
    parser.emitError(loc, "expected `keep`, how many entries are kept");
    return {};
  }
  auto error = [&] { return parser.emitError(loc); };
  return getChecked(function_ref<InFlightDiagnostic()>(error), parser.getContext(),
                    ArrayRef(text.groups), ArrayRef(text.keeps), text.share,
                    ArrayRef(text.places), ArrayRef(text.in), ArrayRef(text.stack));
}

void SliceAttr::print(AsmPrinter &printer) const {
  llvm::ListSeparator comma;
  printer << '<';
  auto item = [&](StringRef name) -> AsmPrinter & {
    return printer << StringRef(comma) << name << " = ";
  };
  for (auto [axis, group] : llvm::enumerate(getGroups())) {
    if (!group.empty())
      item("group") << group;
    item("keep");
    if (getKeeps()[axis])
      printer << getKeeps()[axis];
    else
      printer.printFloat(*getShare());
    for (int64_t side : {0, 1}) {
      llvm::ListSeparator inner;
      bool isOpen = false;
      for (ArrayRef<int64_t> rest = getPlaces(); !rest.empty();
           rest = rest.drop_front(6)) {
        if (rest[0] != static_cast<int64_t>(axis) || rest[1] != side)
          continue;
        if (!isOpen)
          item(side ? "columns" : "rows") << '[';
        isOpen = true;
        printer << StringRef(inner) << rest[2] << ':' << rest[3] << 'x' << rest[4] << 'x'
                << rest[5];
      }
      if (isOpen)
        printer << ']';
    }
  }
  if (!getIn().empty())
    printView(item("in"), getIn());
  if (!getStack().empty())
    printView(item("stack"), getStack());
  printer << '>';
}
