// Assertions that teach. A failing test should tell a story, not show an
// expression: what was done, what should have come out, what came out, and
// which promise of the room that breaks.
//
//   TEST_CASE("a read sees the version of its sequence", "[1.1][task-2][core]")
//   {
//     STORY("Insert a@1 = old, then a@2 = new; read a at sequence 1.");
//     INVARIANT("I2 the newest version comes first");
//     …
//     CHECK_SAME(seen, "old");
//   }
//
// A failure carries these messages, one line each unless said otherwise. They
// are what `course check` reads from Catch2's XML report, so their prefixes
// are fixed:
//   scenario: …    from STORY
//   invariant: …   from INVARIANT; the last one before the failure counts
//   seed: …        from SEEDED_RANDOM (support/random.h)
//   checked: …     the expression that was looked at, as the test spells it
//   expected: …    strings quoted and escaped to ASCII
//   seen: …
//   bytes: …       CHECK_BYTES only, several lines: expected over seen, in hex
//
// Every macro evaluates its arguments once. CHECK_… goes on after a failure,
// REQUIRE_… ends the test case. The last argument may contain commas.
#pragma once

#include <cstddef>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/key.h"
#include "base/lookup.h"
#include "support/catch.h"

namespace lsm {

// For show() below, which finds it beside the type.
inline std::string_view to_string(Lookup answer) {
  switch (answer) {
    case Lookup::absent:
      return "absent";
    case Lookup::value:
      return "value";
    case Lookup::removed:
      return "removed";
  }
  return "unknown";
}

}  // namespace lsm

namespace lsm::test {

// `text` in quotes, every byte outside printable ASCII escaped as \xNN.
std::string quoted(std::string_view text);

// Two byte strings as hex, 16 bytes a line, expected over seen, from one line
// before the first difference to one line after it:
//   expected 0000  61 62 63 64                                      abcd
//   seen     0000  61 62 7a 64                                      abzd
//                        ^^ byte 2
std::string compared_hex(std::string_view seen, std::string_view expected);

// "0x63 'c' at byte 2 of 4", or "the end, after 4 bytes".
std::string byte_at(std::string_view bytes, std::size_t offset);
std::size_t first_difference(std::string_view a, std::string_view b);

// Any bytes, as characters.
inline std::string_view as_text(std::string_view bytes) {
  return bytes;
}
template <typename Byte, std::size_t Extent>
  requires(sizeof(Byte) == 1)
std::string_view as_text(std::span<Byte, Extent> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
template <typename Container>
  requires(!std::is_convertible_v<const Container&, std::string_view> &&
           requires(const Container& c) {
             c.data();
             c.size();
           })
std::string_view as_text(const Container& bytes) {
  static_assert(sizeof(*bytes.data()) == 1);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename T>
std::string show(const T& value);

template <typename Error>
std::string show_error(const Error& error) {
  return "error " + show(error.code) + ": " + test::quoted(error.message);
}

// A value as a learner should read it. A type of the project is shown by its
// own `std::string to_string(const T&)`, found beside the type.
template <typename T>
std::string show(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return quoted(std::string_view(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, std::nullopt_t>) {
    return "nothing";
  } else if constexpr (std::is_same_v<T, char>) {
    return quoted(std::string_view(&value, 1));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_same_v<T, Kind>) {
    return value == Kind::put ? "put" : "remove";
  } else if constexpr (std::is_same_v<T, InternalKey>) {
    return quoted(value.user) + "@" + std::to_string(value.sequence()) + " " +
           show(value.kind());
  } else if constexpr (std::is_same_v<T, InternalKeyBuffer>) {
    return show(value.view());
  } else if constexpr (requires { std::string(to_string(value)); }) {
    return std::string(to_string(value));
  } else if constexpr (requires { *value, value.error(); }) {
    return value.has_value() ? show(*value) : show_error(value.error());
  } else if constexpr (requires { value.has_value(), *value; }) {
    return value.has_value() ? show(*value) : "nothing";
  } else if constexpr (requires { value.first, value.second; }) {
    return "(" + show(value.first) + ", " + show(value.second) + ")";
  } else if constexpr (std::ranges::input_range<const T>) {
    std::string text = "[";
    for (const auto& element : value) {
      if (text.size() > 1) text += ", ";
      text += show(element);
    }
    return text + "]";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<std::underlying_type_t<T>>(value));
  } else {
    return Catch::StringMaker<T>::convert(value);
  }
}

// What one comparison found. The texts are made only when it failed: a check
// that passes costs no formatting.
struct Verdict {
  bool passed = true;
  std::string expected = {};
  std::string seen = {};
  std::string bytes = {};
};

template <typename Seen, typename Expected>
Verdict compare(const Seen& seen, const Expected& expected) {
  constexpr bool kNumbers =
      std::is_integral_v<Seen> && std::is_integral_v<Expected> &&
      !std::is_same_v<Seen, bool> && !std::is_same_v<Expected, bool> &&
      !std::is_same_v<Seen, char> && !std::is_same_v<Expected, char>;
  bool same = false;
  if constexpr (kNumbers) {
    same = std::cmp_equal(seen, expected);
  } else if constexpr (std::is_convertible_v<const Seen&, std::string_view> &&
                       std::is_convertible_v<const Expected&,
                                             std::string_view>) {
    same = std::string_view(seen) == std::string_view(expected);
  } else {
    same = seen == expected;
  }
  if (same) return {};
  return {.passed = false, .expected = show(expected), .seen = show(seen)};
}

Verdict compare_bytes(std::string_view seen, std::string_view expected);

template <typename Result>
Verdict check_ok(const Result& result) {
  if (result.has_value()) return {};
  return {.passed = false,
          .expected = "success",
          .seen = show_error(result.error())};
}

// "success", with what came out where that has a to_string, or the error.
template <typename Result>
std::string show_result(const Result& result) {
  if (!result.has_value()) return show_error(result.error());
  if constexpr (requires { std::string(to_string(*result)); }) {
    return "success: " + std::string(to_string(*result));
  } else {
    return "success";
  }
}

template <typename Result, typename Code>
Verdict check_error(const Result& result, Code code) {
  if (!result.has_value() && result.error().code == code) return {};
  return {.passed = false,
          .expected = "error " + show(code),
          .seen = show_result(result)};
}

// The parts of a check that need not stand in the macro: a suite has hundreds
// of them, and what each expands to is most of what there is to compile.
// One assertion more that has passed.
void count_passed();
// Adds what a verdict found to the failure that comes next.
void tell(const Verdict& verdict, std::string_view checked);

}  // namespace lsm::test

#define STORY(text) INFO("scenario: " << (text))
#define INVARIANT(text) INFO("invariant: " << (text))

// Shared by the macros below; `fail` is FAIL or FAIL_CHECK.
#define LSM_TEACH(fail, checked, what, ...)               \
  do {                                                    \
    const ::lsm::test::Verdict lsm_verdict = __VA_ARGS__; \
    if (lsm_verdict.passed) {                             \
      ::lsm::test::count_passed();                        \
    } else {                                              \
      ::lsm::test::tell(lsm_verdict, checked);            \
      fail(what);                                         \
    }                                                     \
  } while (false)

#define CHECK_SAME(seen, ...)                           \
  LSM_TEACH(FAIL_CHECK, #seen, "not what was expected", \
            ::lsm::test::compare(seen, __VA_ARGS__))
#define REQUIRE_SAME(seen, ...)                   \
  LSM_TEACH(FAIL, #seen, "not what was expected", \
            ::lsm::test::compare(seen, __VA_ARGS__))

#define CHECK_BYTES(seen, ...)                                     \
  LSM_TEACH(FAIL_CHECK, #seen, "bytes differ",                     \
            ::lsm::test::compare_bytes(::lsm::test::as_text(seen), \
                                       ::lsm::test::as_text(__VA_ARGS__)))

#define CHECK_OK(...)                                        \
  LSM_TEACH(FAIL_CHECK, #__VA_ARGS__, "an unexpected error", \
            ::lsm::test::check_ok(__VA_ARGS__))
#define REQUIRE_OK(...)                                \
  LSM_TEACH(FAIL, #__VA_ARGS__, "an unexpected error", \
            ::lsm::test::check_ok(__VA_ARGS__))

#define CHECK_ERROR(result, code)                              \
  LSM_TEACH(FAIL_CHECK, #result, "not the error it should be", \
            ::lsm::test::check_error(result, code))
