#include "base/file_names.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace lsm {

namespace {

constexpr std::array<std::string_view, 4> kSuffixes = {".sst", ".log",
                                                       ".manifest", ".tmp"};

}  // namespace

std::string join_path(std::string_view folder, std::string_view name) {
  return fmt::format("{}/{}", folder, name);
}

std::string file_path(std::string_view folder, FileKind kind,
                      std::uint64_t number) {
  return fmt::format("{}/{:06}{}", folder, number,
                     kSuffixes[static_cast<std::size_t>(kind)]);
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::optional<FileName> parse_file_name(std::string_view name) {
  std::uint64_t number = 0;
  const char* limit = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data(), limit, number);
  if (error != std::errc{} || end - name.data() < 6) return std::nullopt;
  const std::string_view suffix(end, static_cast<std::size_t>(limit - end));
  for (std::size_t kind = 0; kind < kSuffixes.size(); ++kind) {
    if (suffix == kSuffixes[kind]) {
      return FileName{static_cast<FileKind>(kind), number};
    }
  }
  return std::nullopt;
}

}  // namespace lsm
