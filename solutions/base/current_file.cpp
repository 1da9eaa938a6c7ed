#include "base/current_file.h"

#include <fmt/format.h>

#include <charconv>

#include "base/file_names.h"

namespace lsm {

std::string current_text(FileIdentity manifest) {
  const std::string front = fmt::format("{:06}.manifest store {:016x}",
                                        manifest.number, manifest.store_id);
  return fmt::format("{} checksum {:08x}\n", front,
                     checksum32(front, manifest, 0));
}

Result<std::optional<FileIdentity>> read_current(FileSystem& fs,
                                                 const std::string& folder) {
  constexpr std::string_view kStore = ".manifest store ";
  const std::string path = join_path(folder, kCurrentName);
  LSM_ASSIGN_OR_RETURN(const bool there, fs.exists(path));
  if (!there) return std::nullopt;
  LSM_ASSIGN_OR_RETURN(const std::string text, read_file(fs, path));

  FileIdentity manifest;
  const char* limit = text.data() + text.size();
  const auto number = std::from_chars(text.data(), limit, manifest.number);
  if (std::string_view(number.ptr, limit).starts_with(kStore)) {
    std::from_chars(number.ptr + kStore.size(), limit, manifest.store_id, 16);
  }
  if (text != current_text(manifest)) {  // I1
    return fail_at(path, 0, "expected the name of a manifest and its checksum");
  }
  return manifest;
}

}  // namespace lsm
