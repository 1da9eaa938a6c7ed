// git, asked through its plumbing commands, whose output does not change from
// version to version: 2.25 is enough. The environment of whoever called us (a
// hook, say) does not turn it to another repository.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "process.h"

namespace lsm::course {

// what() is what git said.
struct GitError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Git {
 public:
  // Works in the checkout `root`; with `index`, on that index file instead of
  // the checkout's own.
  explicit Git(std::filesystem::path root, std::filesystem::path index = {});
  Git with_index(const std::filesystem::path& index) const;

  Finished run(const std::vector<std::string>& arguments) const;
  bool succeeds(const std::vector<std::string>& arguments) const;

  // The output; throws GitError when it fails.
  std::string text(const std::vector<std::string>& arguments) const;
  // Its first line; empty when there is none.
  std::string line(const std::vector<std::string>& arguments) const;
  // Its parts, which a zero byte ends (-z).
  std::vector<std::string> parts(
      const std::vector<std::string>& arguments) const;
  // The command once for every few hundred of `paths`.
  void for_paths(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& paths) const;

  // A file of git's own folder, such as MERGE_HEAD.
  std::filesystem::path own(std::string_view name) const;

  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
  std::filesystem::path index_;
};

}  // namespace lsm::course
