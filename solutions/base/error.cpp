#include "base/error.h"

#include <fmt/format.h>

namespace lsm {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::corruption:
      return "corruption";
    case Code::io:
      return "io";
    case Code::no_space:
      return "no_space";
    case Code::not_found:
      return "not_found";
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::not_supported:
      return "not_supported";
    case Code::busy:
      return "busy";
    case Code::read_only:
      return "read_only";
    case Code::closed:
      return "closed";
    case Code::conflict:
      return "conflict";
    case Code::unimplemented:
      return "unimplemented";
    case Code::internal:
      return "internal";
  }
  return "unknown";
}

std::unexpected<Error> fail_at(std::string_view path, std::uint64_t offset,
                               std::string_view what, Code code) {
  return fail(code, fmt::format("{}: offset {}: {}", path, offset, what));
}

}  // namespace lsm
