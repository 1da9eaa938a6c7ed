#include "tree.h"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

std::string table_name(std::uint64_t number) {
  return file_path("", FileKind::table, number).substr(1);
}

std::string tree_text(const ManifestState& state) {
  std::vector<VersionEdit::Added> files = state.files;
  // Level by level; in level 0 the newest run first; then by key.
  std::ranges::sort(files, [](const auto& a, const auto& b) {
    return std::tuple(a.level, b.file.run, a.file.smallest.user()) <
           std::tuple(b.level, a.file.run, b.file.smallest.user());
  });
  std::string text;
  int level = -1;
  std::uint64_t run = 0;
  for (const auto& [at, file] : files) {
    if (at != level) text += fmt::format("level {}\n", at);
    std::string label;
    if (at == 0 && (level != 0 || run != file.run)) {
      label = fmt::format("run {}", file.run);
    }
    level = at;
    run = file.run;
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
          {"run", file.run},
          {"number", file.number},
          {"file", table_name(file.number)},
          {"size_bytes", file.size_bytes},
          {"entries", file.entries},
          {"tombstones", file.tombstones},
          {"smallest", escape_text(file.smallest.user())},
          {"largest", escape_text(file.largest.user())},
          {"oldest_sequence", file.oldest_sequence},
          {"newest_sequence", file.newest_sequence}};
}

}  // namespace lsm::tool
