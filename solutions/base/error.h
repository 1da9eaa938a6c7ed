// An Error says what went wrong in words a person can act on; a Result is a
// value or an Error. Nothing in the engine's core throws.
//
//   Result<std::string> r = read_name();
//   if (!r) print(r.error().message);  // "000007.log: offset 4096: …"
//
// I1 Absence is a value (std::optional), never an Error.
// I2 A message about stored bytes names the file, the offset, and what was
//    expected there.
// I3 A bug is an assert; an Error is for the disk and for the user.
// Cost: success is one flag beside the value; an Error owns one string.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace lsm {

enum class Code : std::uint8_t {
  corruption,        // stored bytes are not what was written
  io,                // the operating system reported a failure
  no_space,          // the disk is full
  not_found,         // a file or folder that must exist does not
  invalid_argument,  // the caller asked for what cannot be
  not_supported,     // a newer format, or a file system without the feature
  busy,              // the store is locked, or handles are still open
  read_only,         // an earlier write failed: reopen to go on
  closed,            // the store was closed
  conflict,          // a transaction lost a race: try it again
  unimplemented,     // a room of the course that is not written yet
  internal,          // the engine contradicted itself (a deadlock, say)
};

// The code's name as it stands above, for messages and tests.
std::string_view to_string(Code code);

struct Error {
  Code code;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

// Wraps code and message for `return`.
[[nodiscard]] inline std::unexpected<Error> fail(Code code,
                                                 std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}
// The same about stored bytes (I2): "db/000007.sst: offset 4096: <what>".
[[nodiscard]] std::unexpected<Error> fail_at(std::string_view path,
                                             std::uint64_t offset,
                                             std::string_view what,
                                             Code code = Code::corruption);

}  // namespace lsm

// Leaves the function with the error of `expression`, if it has one.
#define LSM_TRY(expression)                                   \
  do {                                                        \
    if (auto lsm_result_ = (expression); !lsm_result_) {      \
      return std::unexpected(std::move(lsm_result_).error()); \
    }                                                         \
  } while (false)

#define LSM_CONCAT_INNER(a, b) a##b
#define LSM_CONCAT(a, b) LSM_CONCAT_INNER(a, b)

// LSM_ASSIGN_OR_RETURN(auto file, fs.open(path)); binds the value or leaves
// the function with the error.
#define LSM_ASSIGN_OR_RETURN(declaration, expression) \
  LSM_ASSIGN_OR_RETURN_INNER(declaration, expression, \
                             LSM_CONCAT(lsm_result_, __LINE__))
#define LSM_ASSIGN_OR_RETURN_INNER(declaration, expression, result) \
  auto result = (expression);                                       \
  if (!result) return std::unexpected(std::move(result).error());   \
  declaration = std::move(*result)
