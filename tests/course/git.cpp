#include "git.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

// Paths of one command line: far below what a system allows.
constexpr std::size_t kPathsAtOnce = 300;

}  // namespace

Git::Git(fs::path root, fs::path index)
    : root_(std::move(root)), index_(std::move(index)) {}

Git Git::with_index(const fs::path& index) const {
  return Git(root_, index);
}

Finished Git::run(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {
      "env",           "-u", "GIT_DIR",        "-u",
      "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE", "-u",
      "GIT_PREFIX"};
  if (!index_.empty()) argv.push_back("GIT_INDEX_FILE=" + index_.string());
  argv.emplace_back("git");
  std::ranges::copy(arguments, std::back_inserter(argv));
  return course::run(argv, root_);
}

bool Git::succeeds(const std::vector<std::string>& arguments) const {
  return run(arguments).status == 0;
}

std::string Git::text(const std::vector<std::string>& arguments) const {
  Finished finished = run(arguments);
  if (finished.status != 0) {
    std::string said = std::move(finished.errors);
    while (said.ends_with('\n'))
      said.pop_back();
    throw GitError(said.empty() ? "git " + arguments.at(0) + " failed" : said);
  }
  return std::move(finished.output);
}

std::string Git::line(const std::vector<std::string>& arguments) const {
  const std::string all = text(arguments);
  return all.substr(0, all.find('\n'));
}

std::vector<std::string> Git::parts(
    const std::vector<std::string>& arguments) const {
  const std::string all = text(arguments);
  std::vector<std::string> result;
  for (std::size_t start = 0; start < all.size();) {
    const std::size_t end = std::min(all.find('\0', start), all.size());
    result.push_back(all.substr(start, end - start));
    start = end + 1;
  }
  return result;
}

void Git::for_paths(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& paths) const {
  for (std::size_t i = 0; i < paths.size(); i += kPathsAtOnce) {
    std::vector<std::string> all = arguments;
    for (std::size_t j = i; j < std::min(i + kPathsAtOnce, paths.size()); j++) {
      all.push_back(paths[j]);
    }
    text(all);
  }
}

fs::path Git::own(std::string_view name) const {
  const fs::path path =
      line({"rev-parse", "--git-path", std::string(name)});  // from root_
  return path.is_absolute() ? path : root_ / path;
}

}  // namespace lsm::course
