// The names of a store's files, and the one counter that numbers them.
//
//   000007.sst  a table          000008.log  a log
//   000009.manifest  the list of tables    CURRENT  names the manifest in use
//   LOCK  held while a process has the store open    *.tmp  not yet in use
//
// I1 One counter numbers all files; no number is ever used twice, not even by
//    a file that a crash left behind: next = max(manifest, listing) + 1.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lsm {

enum class FileKind : std::uint8_t { table, log, manifest, temporary };

struct FileName {
  FileKind kind;
  std::uint64_t number;
};

inline constexpr std::string_view kCurrentName = "CURRENT";
inline constexpr std::string_view kLockName = "LOCK";

std::string file_path(std::string_view folder, FileKind kind,
                      std::uint64_t number);
std::string join_path(std::string_view folder, std::string_view name);
// The folder that holds `path`; "." for a bare name.
std::string parent_path(std::string_view path);
// nullopt for every name that is not a numbered file of a store.
std::optional<FileName> parse_file_name(std::string_view name);

class FileNumbers {
 public:
  explicit FileNumbers(std::uint64_t next = 1) : next_(next) {}
  // Any thread. Relaxed: only uniqueness matters.
  std::uint64_t take() { return next_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t next() const { return next_.load(std::memory_order_relaxed); }
  // At open only: from now on numbers are larger than `used`.
  void skip_past(std::uint64_t used) {
    if (used >= next()) next_.store(used + 1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> next_;
};

}  // namespace lsm
