#include "update.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "commands.h"
#include "git.h"
#include "syllabus.h"
#include "terminal.h"
#include "three_way.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Why nothing was done; what() is for the learner.
struct Refused : std::runtime_error {
  explicit Refused(const std::string& why, int exit_status = 1)
      : std::runtime_error(why), status(exit_status) {}
  int status;
};

// A file or a link: a folder is not what git keeps.
bool is_there(const fs::path& path) {
  const fs::file_status status = fs::symlink_status(path);
  return fs::exists(status) && !fs::is_directory(status);
}

// The same link, or a file of the same bytes; nothing is like nothing.
bool is_same(const fs::path& a, const fs::path& b) {
  if (!is_there(a) || !is_there(b)) return is_there(a) == is_there(b);
  const bool link = fs::is_symlink(a);
  if (link != fs::is_symlink(b)) return false;
  return link ? fs::read_symlink(a) == fs::read_symlink(b)
              : read_file(a) == read_file(b);
}

// Where the new file waits for its name.
fs::path beside(fs::path path) {
  return path += ".course-update";
}

// Copies a file or link beside its goal, then renames: at every moment the
// goal is the old one or the new one, whole.
void put_in_place(const fs::path& from, const fs::path& to) {
  fs::create_directories(to.parent_path());
  fs::remove(beside(to));
  fs::copy(from, beside(to), fs::copy_options::copy_symlinks);
  fs::rename(beside(to), to);
}

// And the folders that are empty then, up to `root`.
void remove_file(const fs::path& path, const fs::path& root) {
  fs::remove(path);
  std::error_code not_empty;
  for (fs::path up = path.parent_path(); up != root; up = up.parent_path()) {
    if (!fs::remove(up, not_empty) || not_empty) break;
  }
}

// Ctrl-C waits while files are renamed.
class NoInterruption {
 public:
  NoInterruption() {
    sigset_t stops;
    sigemptyset(&stops);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
      sigaddset(&stops, signal);
    sigprocmask(SIG_BLOCK, &stops, &before_);
  }
  ~NoInterruption() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  NoInterruption(const NoInterruption&) = delete;
  NoInterruption& operator=(const NoInterruption&) = delete;

 private:
  sigset_t before_{};
};

// One update at a time; the lock ends with the process.
class Lock {
 public:
  explicit Lock(const fs::path& path)
      : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0) throw Refused("cannot write " + path.string());
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      close(file_);
      throw Refused("Another ./course update is running here.");
    }
  }
  ~Lock() { close(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int file_;
};

// The exchange of the checkout's files. In git's own folder:
//
//   course-update/before/<path>   each file that changes or goes, as it was
//   course-update/after/<path>    each file that changes or comes, as it shall
//                                 be
//   course-update/plan.json       the paths, HEAD before and after; while it is
//                                 there, files may be exchanged
class Exchange {
 public:
  explicit Exchange(const Git& git)
      : git_(git), folder_(git.own("course-update")) {}

  const fs::path& folder() const { return folder_; }
  bool is_interrupted() const { return fs::exists(folder_ / "plan.json"); }

  // An empty folder for what is prepared.
  void begin() const {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void end() const {
    std::error_code ignored;
    fs::remove(folder_ / "plan.json", ignored);
    fs::remove_all(folder_, ignored);
  }

  void plan(const std::set<std::string>& paths, const std::string& head,
            const std::string& target, const std::string& kept) const {
    const Json plan = {
        {"paths", paths}, {"head", head}, {"target", target}, {"kept", kept}};
    write_if_changed(folder_ / "plan.new", plan.dump(1));
    fs::rename(folder_ / "plan.new", folder_ / "plan.json");
  }

  // Exchanges the files and moves HEAD. When it throws, it has put all back.
  void run(const std::function<void(std::string_view)>& before_step) const {
    const NoInterruption guard;
    const Json plan = Json::parse(read_file(folder_ / "plan.json"));
    try {
      const auto paths = plan.at("paths").get<std::vector<std::string>>();
      // What goes makes room for what comes.
      for (const bool comes : {false, true}) {
        for (const std::string& path : paths) {
          const fs::path after = folder_ / "after" / path;
          if (is_there(after) != comes) continue;
          const fs::path here = git_.root() / path;
          before_step(path);
          if (!is_same(here, folder_ / "before" / path)) {
            throw std::runtime_error(path + " was changed meanwhile");
          }
          if (comes) {
            put_in_place(after, here);
          } else {
            remove_file(here, git_.root());
          }
        }
      }
      before_step("HEAD");
      git_.text({"update-ref", "-m", "course update", "HEAD",
                 plan.at("target").get<std::string>(),  // the commit point
                 plan.at("head").get<std::string>()});
    } catch (const std::exception& error) {
      put_back();
      throw Refused(fmt::format(
          "The update stopped: {}.\nEvery file is as it was; run it again.",
          error.what()));
    }
    try {
      before_step("index");
      finish(plan);
    } catch (const std::exception& error) {
      throw Refused(fmt::format(
          "The files and HEAD are the new ones, but git's index is not: {}.\n"
          "./course update once more finishes it.",
          error.what()));
    }
  }

  // After a run that was killed. Returns what it did, for the learner.
  std::string recover() const {
    const NoInterruption guard;
    const Json plan = Json::parse(read_file(folder_ / "plan.json"));
    const std::string now = git_.line({"rev-parse", "HEAD"});
    if (now == plan.at("target").get<std::string>()) {
      finish(plan);
      return "The last update was interrupted at its end; that is done now.";
    }
    if (now != plan.at("head").get<std::string>()) {
      fs::path there = git_.root() / plan.at("kept").get<std::string>();
      fs::create_directories(there);
      there /= "interrupted";
      fs::rename(folder_, there);
      return fmt::format(
          "The last update was interrupted, and HEAD has moved since: no file "
          "was put back. As they were before it they are in {}/before/.",
          fs::relative(there, git_.root()).string());
    }
    put_back();
    return "The last update was interrupted: every file is as it was before.";
  }

 private:
  // Every file that was exchanged as it was. One that is neither as before
  // nor as planned was written since, by somebody: it stays.
  void put_back() const {
    const Json plan = Json::parse(read_file(folder_ / "plan.json"));
    const auto paths = plan.at("paths").get<std::vector<std::string>>();
    // In the opposite order: what came makes room for what went.
    for (const bool existed : {false, true}) {
      for (const std::string& path : paths) {
        const fs::path here = git_.root() / path;
        const fs::path before = folder_ / "before" / path;
        if (is_there(before) != existed) continue;
        std::error_code ignored;
        fs::remove(beside(here), ignored);
        if (!is_same(here, folder_ / "after" / path)) continue;
        if (existed) {
          put_in_place(before, here);
        } else {
          remove_file(here, git_.root());
        }
      }
    }
    end();
  }

  // HEAD has moved; the index follows. What was staged stays so where it can.
  void finish(const Json& plan) const {
    const std::string target = plan.at("target").get<std::string>();
    if (!git_.succeeds({"read-tree", "-i", "-m",
                        plan.at("head").get<std::string>(), target})) {
      git_.text({"read-tree", target});
    }
    git_.run({"update-index", "-q", "--refresh"});
    end();
  }

  const Git& git_;
  fs::path folder_;
};

class Update {
 public:
  Update(const Course& course, const UpdateOptions& options)
      : course_(course),
        options_(options),
        git_(course.root),
        exchange_(git_) {}

  int run() {
    if (exchange_.is_interrupted()) {
      if (options_.dry_run) {
        throw Refused(
            "The last update was interrupted; the next ./course update begins "
            "by putting every file back as it was.");
      }
      fmt::print("\n");
      try {
        print_line(exchange_.recover());
      } catch (const std::exception& error) {
        throw Refused(fmt::format(
            "The last update was interrupted and cannot be taken back: {}.\n"
            "The files as they were before it: {}",
            error.what(), (exchange_.folder() / "before").string()));
      }
    }
    refuse_unfinished_work();
    head_ = commit_of("HEAD");
    find_newest();
    if (git_.succeeds({"merge-base", "--is-ancestor", newest_, head_})) {
      print_line(fmt::format("\nNothing newer: you have {} ({}).", source_,
                             short_of(newest_)));
      return 0;
    }
    find_base();
    exchange_.begin();
    find_paths();
    const std::string mine = files_as_they_lie();
    const Merge merge = merge_trees(git_, exchange_.folder(), base_, mine,
                                    newest_, Clash::markers);
    find_changes(mine, merge.tree);
    report(merge);
    if (options_.dry_run) {
      exchange_.end();
      fmt::print("\n  This was a dry run: nothing was changed.\n");
    } else {
      exchange(mine, merge.tree);
    }
    return conclude(merge);
  }

 private:
  std::string commit_of(const std::string& name) const {
    return git_.line({"rev-parse", "--verify", "--quiet", name + "^{commit}"});
  }
  std::string short_of(const std::string& commit) const {
    return git_.line({"rev-parse", "--short", commit});
  }
  // Empty when the commit has no such folder.
  std::string folder_of(const std::string& commit, const char* name) const {
    const Finished found =
        git_.run({"rev-parse", "--verify", "--quiet", commit + ":" + name});
    return found.output.substr(0, found.output.find('\n'));
  }

  void refuse_unfinished_work() const {
    for (const char* name : {"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD",
                             "rebase-merge", "rebase-apply"}) {
      if (fs::exists(git_.own(name))) {
        throw Refused(
            "A merge, rebase or cherry-pick of yours is not finished (git "
            "status tells). Finish it, or abort it, then update.");
      }
    }
    // Staged, and different in the file: only the index has these bytes.
    const auto staged =
        git_.parts({"diff-index", "--cached", "--name-only", "-z", "HEAD"});
    git_.run({"update-index", "-q", "--refresh"});
    for (const std::string& path :
         git_.parts({"diff-files", "--name-only", "-z"})) {
      if (std::ranges::find(staged, path) != staged.end()) {
        throw Refused(fmt::format(
            "{} is staged in one form and lies there in another. Commit it, "
            "or git add it again, then update.",
            path));
      }
    }
  }

  void find_newest() {
    if (!options_.from.empty()) {
      if (git_.succeeds({"rev-parse", "--verify", "--quiet",
                         options_.from + "^{commit}"})) {
        newest_ = commit_of(options_.from);
        source_ = options_.from;
      } else if (fs::is_directory(options_.from)) {
        fetch(fs::absolute(options_.from).lexically_normal().string(), "HEAD",
              options_.from);
      } else if (options_.from.find(':') != std::string::npos) {
        fetch(options_.from, "HEAD", options_.from);
      } else {
        throw Refused(
            fmt::format("--from: \"{}\" is neither a ref of this clone (git "
                        "branch -a lists them) nor a folder.",
                        options_.from),
            2);
      }
    } else {
      fetch_upstream();
    }
    if (folder_of(newest_, "solutions/base").empty()) {
      throw Refused(fmt::format("What is at {} is not this course: it has no "
                                "solutions/base.",
                                source_),
                    2);
    }
  }

  void fetch_upstream() {
    const std::string remotes = "\n" + git_.text({"remote"});
    const auto has = [&](const std::string& name) {
      return remotes.find("\n" + name + "\n") != std::string::npos;
    };
    if (has("upstream")) return fetch("upstream", "HEAD", "upstream");
    const Finished branch = git_.run({"symbolic-ref", "--short", "-q", "HEAD"});
    const std::string name = branch.output.substr(0, branch.output.find('\n'));
    const auto setting = [&](const char* key) {
      const Finished found =
          git_.run({"config", fmt::format("branch.{}.{}", name, key)});
      return found.output.substr(0, found.output.find('\n'));
    };
    const std::string remote = setting("remote");
    const std::string ref = setting("merge");
    if (!name.empty() && !remote.empty() && !ref.empty()) {
      const std::string shown = ref.substr(ref.rfind('/') + 1);
      return fetch(remote, ref, remote == "." ? shown : remote + "/" + shown);
    }
    if (has("origin")) return fetch("origin", "HEAD", "origin");
    throw Refused(
        "This clone does not know where the course comes from: it has no "
        "remote.\nGive it one:   git remote add upstream ADDRESS\n"
        "or name it:    ./course update --from ADDRESS (or another clone's "
        "folder)");
  }

  void fetch(const std::string& place, const std::string& ref,
             const std::string& shown) {
    source_ = shown;
    show_status("fetching from " + shown);
    const Finished fetched =
        git_.run({"fetch", "--quiet", "--no-tags", "--", place, ref});
    show_status("");
    if (fetched.status != 0) {
      throw Refused(fmt::format(
          "git could not fetch from {}:\n{}Nothing was changed. From another "
          "clone on this machine: ./course update --from ITS-FOLDER",
          shown, fetched.errors));
    }
    newest_ = commit_of("FETCH_HEAD");
  }

  void find_base() {
    const Finished common = git_.run({"merge-base", head_, newest_});
    base_ = common.output.substr(0, common.output.find('\n'));
    const std::string solutions = folder_of(head_, "solutions");
    if (!base_.empty() && folder_of(base_, "solutions") == solutions) return;
    // Taken over by other means than git's: the course's commit with these.
    std::string range = base_.empty() ? newest_ : base_ + ".." + newest_;
    std::string commits =
        git_.text({"log", "--format=%H", range, "--", "solutions"});
    for (std::size_t at = 0; at < commits.size();) {
      const std::size_t end = commits.find('\n', at);
      const std::string commit = commits.substr(at, end - at);
      if (folder_of(commit, "solutions") == solutions) {
        base_ = commit;
        return;
      }
      at = end + 1;
    }
    if (base_.empty()) {
      throw Refused(fmt::format(
          "Your clone and {} have no commit in common, and no version there "
          "has your solutions/: which starters yours grew from cannot be "
          "told.{}",
          source_,
          git_.line({"rev-parse", "--is-shallow-repository"}) == "true"
              ? "\nThis clone is shallow; try: git fetch --unshallow"
              : ""));
    }
  }

  // The paths that the course changed, which must be files or nothing here.
  void find_paths() {
    paths_ = git_.parts({"diff-tree", "-r", "-z", "--no-renames", "--name-only",
                         base_, newest_});
    const std::set<std::string> known(paths_.begin(), paths_.end());
    for (const std::string& path : paths_) {
      const fs::path here = course_.root / path;
      std::error_code no_folder;
      const fs::file_status status = fs::symlink_status(here, no_folder);
      fs::path in_the_way;
      if (fs::is_directory(status)) {
        const auto inside = known.lower_bound(path + "/");
        if (inside == known.end() || !inside->starts_with(path + "/")) {
          in_the_way = path;
        }
      }
      for (fs::path up = fs::path(path).parent_path(); !up.empty();
           up = up.parent_path()) {
        const fs::file_status above =
            fs::symlink_status(course_.root / up, no_folder);
        if (fs::exists(above) && !fs::is_directory(above) &&
            !known.contains(up.string())) {
          in_the_way = up;
        }
      }
      if (!in_the_way.empty()) {
        throw Refused(fmt::format(
            "{} of yours is in the way of {}, which comes with the course. "
            "Move it elsewhere, then update. Nothing was changed.",
            in_the_way.string(), path));
      }
    }
  }

  // A tree: HEAD's, with the files of paths_ as they are on disk.
  std::string files_as_they_lie() const {
    const Git index = git_.with_index(exchange_.folder() / "mine.index");
    index.text({"read-tree", head_});
    std::vector<std::string> files;
    std::vector<std::string> folders;  // where the course has a file
    for (const std::string& path : paths_) {
      const bool folder =
          fs::is_directory(fs::symlink_status(course_.root / path));
      (folder ? folders : files).push_back(path);
    }
    index.for_paths({"update-index", "--force-remove", "--"}, folders);
    index.for_paths({"update-index", "--add", "--remove", "--replace", "--"},
                    files);
    return index.line({"write-tree"});
  }

  // What the merge does to the files on disk.
  void find_changes(const std::string& mine, const std::string& merged) {
    const auto names = [&](const std::string& from, const std::string& to,
                           const char* which) {
      const auto found =
          git_.parts({"diff-tree", "-r", "-z", "--no-renames", "--name-only",
                      std::string("--diff-filter=") + which, from, to});
      return std::set<std::string>(found.begin(), found.end());
    };
    changes_ = names(mine, merged, "AMDT");
    coming_ = names(mine, merged, "A");
    written_ = names(mine, merged, "AMT");
    for (const std::string& path : names(base_, mine, "AMT")) {
      if (changes_.contains(path)) kept_.push_back(path);
    }
  }

  void exchange(const std::string& mine, const std::string& merged) {
    const std::string kept_in = kept_folder();
    for (const std::string& path : kept_) {
      put_in_place(course_.root / path, course_.root / kept_in / path);
    }
    for (const std::string& path : changes_) {
      if (coming_.contains(path)) continue;
      put_in_place(course_.root / path, exchange_.folder() / "before" / path);
    }
    const Git index = git_.with_index(exchange_.folder() / "after.index");
    index.text({"read-tree", merged});
    index.for_paths(
        {"checkout-index", "--force",
         "--prefix=" + (exchange_.folder() / "after/").string(), "--"},
        {written_.begin(), written_.end()});
    const std::string target = new_head();
    if (files_as_they_lie() != mine) {
      exchange_.end();
      throw Refused(
          "A file was changed while the update was prepared. "
          "Nothing was changed: run it again.");
    }
    exchange_.plan(changes_, head_, target, kept_in);
    exchange_.run(options_.before_step ? options_.before_step
                                       : [](std::string_view) {});
    if (!kept_.empty()) {
      print_field("kept", fmt::format("{}/ has {} as before", kept_in,
                                      kept_.size() == 1 ? "that file of yours"
                                                        : "those files of "
                                                          "yours"));
    }
  }

  // The course's commit itself, when HEAD has nothing that it lacks.
  std::string new_head() const {
    if (git_.succeeds({"merge-base", "--is-ancestor", head_, newest_})) {
      return newest_;
    }
    const Merge merge = merge_trees(git_, exchange_.folder(), base_, head_,
                                    newest_, Clash::mine);
    std::vector<std::string> commit;
    if (!git_.succeeds({"var", "GIT_COMMITTER_IDENT"})) {
      commit = {"-c", "user.name=course update", "-c",
                "user.email=course@localhost"};
    }
    const std::vector<std::string> rest = {
        "commit-tree",
        merge.tree,
        "-p",
        head_,
        "-p",
        newest_,
        "-m",
        fmt::format("course: update to {} of {}", short_of(newest_), source_)};
    std::ranges::copy(rest, std::back_inserter(commit));
    return git_.line(commit);
  }

  std::string kept_folder() const {
    const std::string name = ".mine/update-" + timestamp();
    std::string free = name;
    for (int i = 2; fs::exists(course_.root / free); i++) {
      free = fmt::format("{}-{}", name, i);
    }
    return free;
  }

  void report(const Merge& merge) const {
    fmt::print("\n");
    print_field("from",
                fmt::format("{}, {}: {}", source_, short_of(newest_),
                            git_.line({"log", "-1", "--format=%s", newest_})));
    std::set<std::string> told;
    for (const Settled& settled : merge.settled)
      told.insert({settled.path, settled.before});
    std::size_t others = 0;
    std::set<std::string> days;
    for (const std::string& path : changes_) {
      others += told.contains(path) ? 0 : 1;
      const fs::path folder = fs::path(path).parent_path();
      if (coming_.contains(path) && is_learners(path) &&
          !parse_day(folder.string()).empty() &&
          !fs::exists(course_.root / folder)) {
        days.insert(folder.string());
      }
    }
    for (const std::string& day : days) {
      print_field("new day", fmt::format("{}, in {}/", parse_day(day), day),
                  Ink::good);
    }
    if (others > 0) {
      print_field("course", fmt::format("{} file{} you have not edited", others,
                                        others == 1 ? "" : "s"));
    }
    if (merge.settled.empty()) {
      print_field("yours", "nothing that you wrote is touched", Ink::good);
    }
    for (const Settled& settled : merge.settled) {
      const auto& [label, ink, text] = told_as(settled.fate);
      const std::string was = settled.before.empty()
                                  ? std::string()
                                  : fmt::format("\nwas {}", settled.before);
      print_field(label, settled.path + text + was, ink);
    }
  }

  struct Words {
    const char* label;
    Ink ink;
    const char* text;
  };
  static Words told_as(Fate fate) {
    switch (fate) {
      case Fate::merged:
        return {"merged", Ink::good, ""};
      case Fate::conflict:
        return {"CONFLICT", Ink::bad, ": both changed the same lines"};
      case Fate::replaced:
        return {"replaced", Ink::warn, ": the course's now; yours is kept"};
      case Fate::gone:
        return {"gone", Ink::warn, ": not in the course now; yours is kept"};
      case Fate::returned:
        return {"returned", Ink::plain,
                ": it has changed since you removed it"};
    }
    return {"", Ink::plain, ""};
  }

  int conclude(const Merge& merge) const {
    const bool conflicts =
        std::ranges::find(merge.settled, Fate::conflict, &Settled::fate) !=
        merge.settled.end();
    fmt::print("\n");
    if (conflicts) {
      print_field("next",
                  options_.dry_run
                      ? "Each CONFLICT would get both sides, between markers."
                      : "Each CONFLICT has both sides: <<<<<<< yours, ======= "
                        "the course's >>>>>>>. Keep what is right, take the "
                        "markers out, check the day.");
    } else {
      print_field("next", options_.dry_run ? "./course update" : "./course",
                  Ink::link);
    }
    return conflicts ? 1 : 0;
  }

  const Course& course_;
  const UpdateOptions& options_;
  Git git_;
  Exchange exchange_;
  std::string head_;
  std::string newest_;
  std::string source_;  // as it is told
  std::string base_;
  std::vector<std::string> paths_;  // that the course changed
  std::set<std::string> changes_;   // that change on disk
  std::set<std::string> coming_;    // of these: not there before
  std::set<std::string> written_;   // of these: there afterwards
  std::vector<std::string> kept_;   // of these: the learner's
};

// A clone whose top folder is the course, with a commit.
void require_clone(const Course& course) {
  const Git git(course.root);
  const Finished top = git.run({"rev-parse", "--show-toplevel"});
  const std::string folder = top.output.substr(0, top.output.find('\n'));
  std::error_code error;
  if (top.status == 127) throw Refused("git is needed for it: " + top.errors);
  if (top.errors.contains("dubious ownership")) throw GitError(top.errors);
  if (top.status != 0 || !fs::equivalent(folder, course.root, error) ||
      !git.succeeds({"rev-parse", "--verify", "--quiet", "HEAD"})) {
    throw Refused(
        "This folder is no git clone of the course, and only git knows which "
        "starters yours grew from.\nMake it one, with your work in it:\n"
        "  git init && git add -A && git commit -m \"the course so far\"\n"
        "then update from where the course is:\n"
        "  ./course update --from ADDRESS (or a newer clone's folder)");
  }
}

}  // namespace

int command_update(const Course& course, const UpdateOptions& options) {
  try {
    require_clone(course);
    const Lock lock(Git(course.root).own("course-update.lock"));
    return Update(course, options).run();
  } catch (const Refused& refused) {
    std::fflush(stdout);
    fmt::print(stderr, "{}\n", refused.what());
    return refused.status;
  } catch (const GitError& error) {
    std::fflush(stdout);
    fmt::print(stderr, "Nothing was changed: git says\n{}\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "Nothing was changed: {}\n", error.what());
    return 1;
  }
}

}  // namespace lsm::course
