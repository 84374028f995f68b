// Structures as users write them: the text inside `#sparsam.`, alone.
#include "mlir/AsmParser/AsmParser.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/IR/Structure.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Why text does not parse, and at which character of it.
struct SyntaxError {
  std::string reason;
  size_t place = 0;
};

bool isWordCharacter(char c) {
  return llvm::isAlnum(c) || StringRef("_.-+\"").contains(c);
}

} // namespace

/// The word or character at the beginning of `rest`.
static std::string getFound(StringRef rest) {
  rest = rest.ltrim();
  if (rest.empty())
    return "the end of the text";
  size_t size = std::max<size_t>(rest.take_while(isWordCharacter).size(), 1);
  // All bytes of a character.
  while (size < rest.size() && (rest[size] & 0xC0) == 0x80)
    ++size;
  return ("`" + rest.take_front(size) + "`").str();
}

/// Where what MLIR's parser found begins: it names the last character for the end of the
/// text, and what follows a point that begins a number.
static size_t getBeginning(StringRef text, size_t place) {
  if (place == 0 || place == text.size())
    return place;
  if (text[place - 1] == '.' && !(place > 1 && isWordCharacter(text[place - 2])))
    return place - 1;
  return isWordCharacter(text[place]) && isWordCharacter(text[place - 1]) ? text.size()
                                                                          : place;
}

/// The bracket that is not closed, if there is one. MLIR's parser asks for the closed
/// text of an attribute before it looks into it.
static std::optional<SyntaxError> findUnclosed(StringRef text) {
  SmallVector<size_t> open;
  auto expectClosed = [&](size_t place) {
    StringRef opened = text.take_front(open.back() + 1);
    size_t name =
        opened.drop_back().rtrim(llvm::StringRef("_abcdefghijklmnopqrstuvwxyz")).size();
    char closer = StringRef(">])")[StringRef("<[(").find(opened.back())];
    return SyntaxError{("expected `" + Twine(closer) + "` that closes `" +
                        opened.drop_front(name) + "`, found " +
                        getFound(text.drop_front(place)))
                           .str(),
                       place};
  };
  bool isQuoted = false;
  for (auto [place, c] : llvm::enumerate(text)) {
    if (c == '"')
      isQuoted = !isQuoted;
    if (isQuoted)
      continue;
    if (StringRef("<[(").contains(c))
      open.push_back(place);
    size_t closer = StringRef(">])").find(c);
    if (closer == StringRef::npos)
      continue;
    if (open.empty())
      return std::nullopt;
    if (text[open.back()] != "<[("[closer])
      return expectClosed(place);
    open.pop_back();
  }
  if (open.empty() || isQuoted)
    return std::nullopt;
  return expectClosed(text.size());
}

/// What MLIR's parser says, in the words of what a structure is made of.
static std::string getPlainReason(StringRef reason) {
  constexpr std::pair<StringRef, StringRef> words[] = {
      {"expected valid keyword", "expected a name"},
      {"expected integer value", "expected a whole number"},
      {"expected floating point literal", "expected a number"},
      {"expected attribute value", "expected a structure"},
      {"unexpected character", "expected another character"},
      {"integer value too large", "expected a smaller number"},
      {"expected three consecutive dots for an ellipsis",
       "expected a number with a digit before its point"}};
  for (auto [theirs, ours] : words)
    if (reason == theirs)
      return ours.str();
  if (reason.starts_with("duplicate or unknown struct parameter name: "))
    return "there is no such parameter, or it is given twice";
  if (reason.consume_front("struct is missing required parameter: "))
    return ("expected `" + reason + "`, found none").str();
  return reason.str();
}

/// Parses all of `text`, or says why it does not parse.
static Attribute parse(StringRef text, MLIRContext *context, SyntaxError &error) {
  if (auto unclosed = findUnclosed(text)) {
    error = *unclosed;
    return {};
  }
  StringRef prefix = "#sparsam.";
  std::string whole = (prefix + text).str();
  size_t end = 0;
  bool isFirst = true;
  Attribute attr;
  {
    // The parser would name a location inside a buffer that the user never saw.
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      if (!std::exchange(isFirst, false))
        return success();
      error.reason = getPlainReason(diagnostic.str());
      auto loc = dyn_cast<FileLineColLoc>(diagnostic.getLocation());
      size_t place = 0;
      for (unsigned line = 1; loc && line < loc.getLine(); ++line)
        place = whole.find('\n', place) + 1;
      place += loc ? loc.getColumn() - 1 : 0;
      error.place = getBeginning(
          text, std::min(std::max(place, prefix.size()) - prefix.size(), text.size()));
      return success();
    });
    attr = parseAttribute(whole, context, Type(), &end);
  }
  if (!attr) {
    if (StringRef(error.reason).starts_with("expected ") &&
        !StringRef(error.reason).contains("found"))
      error.reason += ", found " + getFound(text.drop_front(error.place));
    return {};
  }
  StringRef rest = text.drop_front(end - prefix.size()).ltrim();
  if (rest.empty())
    return attr;
  error = {"expected nothing after it, found `" + rest.str() + "`", text.size()};
  return {};
}

FailureOr<StructureInterface> sparsam::parseStructure(StringRef text, Location loc) {
  MLIRContext *context = loc.getContext();
  context->getOrLoadDialect<SparsamDialect>();
  text = text.trim();
  SyntaxError error;
  Attribute attr = parse(text, context, error);
  if (!attr) {
    InFlightDiagnostic diagnostic = emitError(loc);
    diagnostic << "structure `" << text << "` does not parse: ";
    // The parameter whose value it is.
    StringRef before = text.take_front(error.place).rtrim();
    if (before.consume_back("=")) {
      before = before.rtrim();
      diagnostic << before.take_back(before.size() - before.find_last_of("<, \n") - 1)
                 << ": ";
    }
    return diagnostic << error.reason;
  }
  auto structure = dyn_cast<StructureInterface>(attr);
  if (!structure)
    return emitError(loc) << "`" << text << "` is not a structure";
  return structure;
}
