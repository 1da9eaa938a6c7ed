#include "tree_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/file_names.h"
#include "text.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kKeyColumns = 14;

std::string key_range(const FileMeta& file) {
  return shorten(show_key(file.smallest.user()), kKeyColumns) + " … " +
         shorten(show_key(file.largest.user()), kKeyColumns);
}

// A flush names its run by the table's own number (tree.h of 1.5).
std::uint64_t run_of(const VersionEdit::Added& added) {
  if (added.level > 0) return 0;
  return added.file.run != 0 ? added.file.run : added.file.number;
}

}  // namespace

std::string table_name(std::uint64_t number) {
  return file_path("", FileKind::table, number).substr(1);
}

std::string tree_text(const ManifestState& state) {
  std::vector<VersionEdit::Added> files = state.files;
  // Level by level; in level 0 the newest run first; in a run by key.
  std::map<std::uint64_t, Sequence> newest;
  for (const VersionEdit::Added& added : files) {
    Sequence& of_run = newest[run_of(added)];
    of_run = std::max(of_run, added.file.newest_sequence);
  }
  std::ranges::sort(files, [&](const auto& a, const auto& b) {
    return std::tuple(a.level, newest[run_of(b)], a.file.smallest.user()) <
           std::tuple(b.level, newest[run_of(a)], b.file.smallest.user());
  });
  std::string text;
  int level = -1;
  std::uint64_t run = 0;
  for (const VersionEdit::Added& added : files) {
    const FileMeta& file = added.file;
    if (added.level != level) text += fmt::format("level {}\n", added.level);
    const bool new_run = added.level != level || run != run_of(added);
    level = added.level;
    run = run_of(added);
    const std::string label =
        level == 0 && new_run ? fmt::format("run {}", run) : "";
    text += fmt::format("  {:<9} {} {:>10} {:>10} entries  {}\n", label,
                        table_name(file.number), show_bytes(file.size_bytes),
                        show_count(file.entries), key_range(file));
  }
  if (files.empty()) text = "no tables\n";
  return text;
}

nlohmann::json table_json(const VersionEdit::Added& added) {
  const FileMeta& file = added.file;
  return {{"level", added.level},
          {"run", run_of(added)},
          {"number", file.number},
          {"file", table_name(file.number)},
          {"size_bytes", file.size_bytes},
          {"entries", file.entries},
          {"tombstones", file.tombstones},
          {"hidden", file.hidden},
          {"smallest", escape_text(file.smallest.user())},
          {"largest", escape_text(file.largest.user())},
          {"oldest_sequence", file.oldest_sequence},
          {"newest_sequence", file.newest_sequence}};
}

}  // namespace lsm::tool
