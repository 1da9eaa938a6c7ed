#include <fmt/format.h>

#include <cstdio>

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
  return Db::open(path, std::move(options));
}

}  // namespace lsm::tool
