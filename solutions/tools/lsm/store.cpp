#include <fmt/format.h>

#include <cstdio>

#include "base/posix_file_system.h"
#include "commands.h"

namespace lsm::tool {

int report(std::string_view path, const Error& error) {
  std::fflush(stdout);
  if (path.empty() || error.message.starts_with(path)) {
    fmt::print(stderr, "lsm: {}\n", error.message);
  } else {
    fmt::print(stderr, "lsm: {}: {}\n", path, error.message);
  }
  return 1;
}

Result<std::unique_ptr<Db>> open_store(const std::string& path, Options options,
                                       bool create) {
  options.create_if_missing = create;
  if (!create) {
    LSM_ASSIGN_OR_RETURN(const bool there, posix_file_system().exists(path));
    if (!there) return fail(Code::not_found, path + ": there is no store here");
  }
  return Db::open(path, std::move(options));
}

}  // namespace lsm::tool
