#include "base/file_system.h"

namespace lsm {

Result<void> read_exactly(const File& file, std::string_view path,
                          std::uint64_t offset, std::span<char> to) {
  LSM_ASSIGN_OR_RETURN(const std::size_t count, file.read_at(offset, to));
  if (count == to.size()) return {};
  return fail_at(path, offset,
                 "the file ends after " + std::to_string(count) + " of " +
                     std::to_string(to.size()) + " bytes");
}

Result<std::string> read_file(FileSystem& fs, const std::string& path,
                              std::uint64_t limit_bytes) {
  LSM_ASSIGN_OR_RETURN(const auto file, fs.open(path, FileSystem::Mode::read));
  LSM_ASSIGN_OR_RETURN(const std::uint64_t size, file->size());
  if (size > limit_bytes) {
    return fail(Code::not_supported,
                path + ": " + std::to_string(size) + " bytes, more than the " +
                    std::to_string(limit_bytes) + " that fit in memory");
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  LSM_ASSIGN_OR_RETURN(const std::size_t count, file->read_at(0, bytes));
  bytes.resize(count);
  return bytes;
}

}  // namespace lsm
