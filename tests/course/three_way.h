// The merge behind `course update`: what the course changed between two of its
// versions, brought to a tree that somebody has worked in. It reads and writes
// git's object store only; no file of a checkout is touched.
//
//   base --- the course's changes ---> theirs
//     \                                   \       .
//      `---- the learner's changes --> mine --> the merged tree
//
// I1 A path that one side alone has changed is as that side has it.
// I2 A path in week*/ that both changed is merged line by line, also when the
//    course renamed it. Where both changed the same lines it holds both,
//    between git's usual markers; or mine, if that is asked for.
// I3 Any other path that both changed is the course's: a build file or test
//    with markers in it would take the learner's command away.
// I4 Every path of I2 and I3 is told, with what became of it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "git.h"

namespace lsm::course {

enum class Fate {
  merged,    // both sides' lines
  conflict,  // both, between markers; or mine
  replaced,  // the course's
  gone,      // the course has no such file any more; mine had been changed
  returned,  // mine was removed, and the course has changed it since
};

struct Settled {
  std::string path;
  Fate fate = Fate::merged;
  std::string before;  // its path in mine, when the course renamed it
};

struct Merge {
  std::string tree;
  std::vector<Settled> settled;  // by path
};

enum class Clash { markers, mine };

// In week1/, week2/ ...: what learners write in.
bool is_learners(std::string_view path);

// The three are trees or commits; `scratch` is a folder for files that are of
// no use afterwards. Throws GitError.
Merge merge_trees(const Git& git, const std::filesystem::path& scratch,
                  const std::string& base, const std::string& mine,
                  const std::string& theirs, Clash clash);

}  // namespace lsm::course
