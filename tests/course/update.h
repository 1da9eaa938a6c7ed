// `course update`: a newer version of the course, brought to a checkout that
// somebody works in. Git knows both, so git is asked: the version that their
// files grew from is the last commit of the course in their history, and what
// they did since is the difference between it and the files as they lie there.
// It makes no difference whether that is committed, staged, or neither.
//
//   base    the course's commit that HEAD descends from (git merge-base)
//   newest  the course's newer commit
//   mine    the files on disk, of the paths that differ from base to newest
//
//   files on disk := merge(base, mine, newest)       (three_way.h)
//   HEAD          := newest, when HEAD has no commits of its own;
//                    else a commit upon both, merge(base, HEAD, newest)
//
// So what was not committed is not committed afterwards, and because HEAD then
// descends from `newest`, the next update finds the right base by itself: no
// state is kept anywhere else. Where the two have no commit in common, or HEAD
// has a later course's solutions/ than that one (an archive, a squashed merge),
// base is the newest commit of the course with these very solutions/: starters
// are made from solutions, so it has the starters too.
//
// I1 Paths that the course did not change are not looked at: neither the
//    learner's own files, whatever their names, nor their own edits there.
// I2 A file of the learner's that changes or goes, edited, untracked or
//    ignored, lies as it was in .mine/update-<time>/ before anything is
//    touched.
// I3 Everything is prepared aside first. Then files are renamed into place
//    one by one, and HEAD moves last, which is the commit point. Whatever stops
//    a run before that, its end or the next run puts every file back as it was,
//    but one that somebody has written since.
// I4 Where the course is and was is told: no file is replaced in silence but
//    one that was the course's own, unedited.
//
// Cost: a merge per file that both have changed; a hash per path that the
// course has. Nothing is fetched but what the new version needs.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "rooms.h"

namespace lsm::course {

struct UpdateOptions {
  // A ref of this clone, the folder or the address of another clone. Empty:
  // the remote `upstream` if there is one (a fork has it), else the branch's
  // own upstream, else `origin`; fetched.
  std::string from;
  bool dry_run = false;
  // Called before each step that changes the checkout, with what it is about
  // to write: a path, "HEAD", "index". The tests interrupt it here.
  std::function<void(std::string_view step)> before_step;
};

// 0 when the checkout has the newer version, or has it already; 1 when a
// conflict waits for the learner, or nothing could be done; 2 for a wrong
// --from. With dry_run the same, without touching a file.
int command_update(const Course& course, const UpdateOptions& options);

}  // namespace lsm::course
