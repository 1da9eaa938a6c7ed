// `course update` on real repositories in temporary folders: `course/` is the
// course's own, `mine/` a learner's clone of it.
#include "update.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/teach.h"
#include "three_way.h"
#include "toy_course.h"

namespace lsm::course {
namespace {

using Files = std::map<std::string, std::string>;

constexpr const char* kRoom = "week1/day1_memtable/memtable.cpp";
constexpr const char* kHeaderFile = "week1/day1_memtable/memtable.h";
constexpr const char* kTest = "tests/week1/day1_memtable_test.cpp";

// A starter of two holes; `top` and `second` are what versions change.
std::string room(const std::string& top, const std::string& first,
                 const std::string& second) {
  return "// " + top + "\n#include \"memtable.h\"\n\nint first() {\n  " +
         first + "\n}\n\n// Between them.\n// And more.\n\nint second() {\n  " +
         second + "\n}\n";
}
const std::string kHole1 = "LSM_TODO(1);";
const std::string kHole2 = "LSM_TODO(2);";
const std::string kStarter = room("old", kHole1, kHole2);
const std::string kNewStarter = room("new", kHole1, kHole2);
const std::string kMine = room("old", "return 1;", kHole2);
const std::string kMerged = room("new", "return 1;", kHole2);

// Everything in a checkout but what git and the tool keep for themselves.
Files files_of(const fs::path& root) {
  Files files;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string path = fs::relative(entry->path(), root).string();
    if (path == ".git" || path == ".mine") {
      entry.disable_recursion_pending();
    } else if (!entry->is_directory()) {
      files[path] = read_file(entry->path());
    }
  }
  return files;
}

struct Classroom {
  TemporaryFolder folder;
  fs::path course = folder.path / "course";
  fs::path mine = folder.path / "mine";

  Classroom() {
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("LC_ALL", "C", 1);
    fs::create_directories(course);
    git(course, {"init", "-q", "-b", "main"});
    publish({{"solutions/base/todo.h", "// base\n"},
             {"solutions/week1/day1_memtable/memtable.cpp", "// 1\n"},
             {kRoom, kStarter},
             {kHeaderFile, "int first();\nint second();\n"},
             {kTest, "// suite 1\n"},
             {"CMakeLists.txt", "# 1\n"},
             {"course", "#!/bin/sh\n"},
             {"week2/README.md", "Not yet.\n"},
             {".gitignore", "/build/\n/.mine/\n*.swp\n"}});
    git(folder.path, {"clone", "-q", "course", "mine"});
  }

  std::string git(const fs::path& where,
                  std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=A", "-c",
                                         "user.email=a@localhost"});
    const Finished finished = run(arguments, where);
    INFO(finished.errors);
    REQUIRE(finished.status == 0);
    return finished.output;
  }
  void commit(const fs::path& where, const std::string& message) const {
    git(where, {"add", "-A"});
    git(where, {"commit", "-q", "-m", message});
  }

  // A version of the course: these files changed, those removed.
  void publish(const Files& changed,
               const std::vector<std::string>& removed = {}) const {
    for (const std::string& path : removed)
      fs::remove(course / path);
    for (const auto& [path, content] : changed)
      write_if_changed(course / path, content);
    commit(course, "a version");
  }
  // The second version, which most tests update to.
  void publish_second() const {
    publish({{"solutions/week1/day1_memtable/memtable.cpp", "// 2\n"},
             {kRoom, kNewStarter},
             {kTest, "// suite 2\n"},
             {"CMakeLists.txt", "# 2\n"}});
  }

  void write(const std::string& path, const std::string& content) const {
    write_if_changed(mine / path, content);
  }
  std::string read(const std::string& path) const {
    return fs::exists(mine / path) ? read_file(mine / path) : "(not there)";
  }

  Finished update(std::vector<std::string> arguments = {}) const {
    setenv("COURSE_ROOT", mine.c_str(), 1);
    arguments.insert(arguments.begin(), {LSM_TEST_COURSE, "update"});
    return run(arguments, folder.path);
  }
  std::string head() const { return git(mine, {"rev-parse", "HEAD"}); }
  std::string status() const { return git(mine, {"status", "--porcelain"}); }
  std::string course_head() const { return git(course, {"rev-parse", "HEAD"}); }

  // What is kept of `path`, by all updates together.
  std::set<std::string> kept(const std::string& path) const {
    std::set<std::string> result;
    if (!fs::exists(mine / ".mine")) return result;
    for (const auto& entry : fs::directory_iterator(mine / ".mine")) {
      if (fs::exists(entry.path() / path)) {
        result.insert(read_file(entry.path() / path));
      }
    }
    return result;
  }

  // An update in this process, or what is left of it.
  int update_here(const UpdateOptions& options) const {
    return command_update(discover(mine, mine / "build/course"), options);
  }

  // An update that ends before its n-th step, as by kill -9.
  void killed_at(int n) const {
    std::fflush(nullptr);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      int steps = 0;
      UpdateOptions options;
      options.before_step = [&](std::string_view) {
        if (++steps == n) _exit(9);
      };
      if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(1);
      update_here(options);
      _exit(0);
    }
    int ended = 0;
    REQUIRE(waitpid(child, &ended, 0) == child);
    REQUIRE(WEXITSTATUS(ended) == 9);
  }
};

TEST_CASE("edits that nobody committed are merged", "[course][update]") {
  STORY("Fill one hole; the course changes the line at the top, and tests.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.publish_second();
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read(kRoom), kMerged);
  CHECK_SAME(room.read(kTest), "// suite 2\n");
  CHECK_SAME(room.read("CMakeLists.txt"), "# 2\n");
  CHECK_SAME(room.read("solutions/week1/day1_memtable/memtable.cpp"), "// 2\n");
  CHECK(room.kept(kRoom) == std::set<std::string>{kMine});
  CHECK(room.kept(kTest).empty());  // the course's own
  CHECK(contains(said.output, std::string("merged     ") + kRoom));
  // As after a pull: the course's commit, and the edit is still not committed.
  CHECK_SAME(room.head(), room.course_head());
  CHECK_SAME(room.status(), std::string(" M ") + kRoom + "\n");

  STORY("A second run right after finds nothing to do.");
  const Files before = files_of(room.mine);
  const Finished again = room.update();
  CHECK(again.status == 0);
  CHECK(contains(again.output, "Nothing newer: you have origin/main"));
  CHECK(files_of(room.mine) == before);
  CHECK(room.kept(kRoom).size() == 1);
}

TEST_CASE("edits that the learner committed are merged", "[course][update]") {
  STORY("Two commits of the learner's; then an edit that is not committed.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.commit(room.mine, "first()");
  room.write("week1/notes.md", "mine\n");
  room.commit(room.mine, "notes");
  const std::string own = room.head();
  const std::string both = lsm::course::room("old", "return 1;", "return 2;");
  room.write(kRoom, both);
  room.publish_second();
  Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  const std::string merged = lsm::course::room("new", "return 1;", "return 2;");
  CHECK_SAME(room.read(kRoom), merged);
  CHECK(room.kept(kRoom) == std::set<std::string>{both});
  CHECK_SAME(room.read("week1/notes.md"), "mine\n");
  // One commit upon both, with the committed half only.
  CHECK_SAME(room.git(room.mine, {"rev-parse", "HEAD^1"}), own);
  CHECK_SAME(room.git(room.mine, {"rev-parse", "HEAD^2"}), room.course_head());
  CHECK_SAME(room.git(room.mine, {"show", std::string("HEAD:") + kRoom}),
             kMerged);
  CHECK_SAME(room.status(), std::string(" M ") + kRoom + "\n");

  STORY("The next version: its base is the one they have now.");
  room.publish({{kRoom, lsm::course::room("newest", kHole1, kHole2)}});
  said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read(kRoom),
             lsm::course::room("newest", "return 1;", "return 2;"));
  CHECK(contains(room.update().output, "Nothing newer"));
}

TEST_CASE("a conflict keeps both sides, and mine of before",
          "[course][update]") {
  STORY("The learner and the course change the same line.");
  const Classroom room;
  const std::string mine = lsm::course::room("mine", "return 1;", kHole2);
  room.write(kRoom, mine);
  room.publish_second();
  Finished said = room.update({"--dry-run"});
  CHECK(said.status == 1);
  CHECK(contains(said.output, std::string("CONFLICT   ") + kRoom));
  CHECK_SAME(room.read(kRoom), mine);

  said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 1);
  CHECK(contains(said.output, std::string("CONFLICT   ") + kRoom));
  CHECK_SAME(room.read(kRoom),
             "<<<<<<< yours\n// mine\n=======\n// new\n>>>>>>> the new "
             "starter\n" +
                 mine.substr(mine.find('\n') + 1));
  CHECK(room.kept(kRoom) == std::set<std::string>{mine});
  CHECK_SAME(room.read(kTest), "// suite 2\n");
  CHECK(contains(room.update().output, "Nothing newer"));
}

TEST_CASE("a conflict is never committed", "[course][update]") {
  STORY("The learner has committed the line that the course changes.");
  const Classroom room;
  const std::string mine = lsm::course::room("mine", "return 1;", kHole2);
  room.write(kRoom, mine);
  room.commit(room.mine, "mine");
  room.publish_second();
  CHECK(room.update().status == 1);
  CHECK(contains(room.read(kRoom), "<<<<<<< yours\n// mine\n"));
  CHECK_SAME(room.git(room.mine, {"show", std::string("HEAD:") + kRoom}), mine);
  CHECK_SAME(room.status(), std::string(" M ") + kRoom + "\n");
}

TEST_CASE("a dry run changes nothing", "[course][update]") {
  STORY("All kinds of change at once, tried only.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.write(kTest, "// a test of mine\n");
  room.publish_second();
  const Files before = files_of(room.mine);
  const std::string head = room.head();
  const std::string status = room.status();
  const Finished said = room.update({"--dry-run"});
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, "nothing was changed"));
  CHECK(contains(said.output, std::string("merged     ") + kRoom));
  CHECK(contains(said.output, std::string("replaced   ") + kTest));
  CHECK(files_of(room.mine) == before);
  CHECK_SAME(room.head(), head);
  CHECK_SAME(room.status(), status);
  CHECK(!fs::exists(room.mine / ".mine"));
}

TEST_CASE("a new day arrives beside what the learner has", "[course][update]") {
  STORY("Week 2 opens; the learner has a note and a hunt file in week2/.");
  const Classroom room;
  room.write("week2/day1_compaction_hunt.cpp", "// mine\n");
  room.write("week2/plans.swp", "ignored\n");
  room.publish({{"solutions/week2/day1_compaction/c.cpp", "// c\n"},
                {"week2/day1_compaction/c.cpp", "// hole\n"}},
               {"week2/README.md"});
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, "new day    2.1, in week2/day1_compaction/"));
  CHECK_SAME(room.read("week2/day1_compaction/c.cpp"), "// hole\n");
  CHECK_SAME(room.read("week2/README.md"), "(not there)");
  CHECK_SAME(room.read("week2/day1_compaction_hunt.cpp"), "// mine\n");
  CHECK_SAME(room.read("week2/plans.swp"), "ignored\n");
  CHECK(!fs::exists(room.mine / ".mine"));
  CHECK_SAME(room.status(), "?? week2/day1_compaction_hunt.cpp\n");
}

TEST_CASE("a room that goes leaves what the learner wrote",
          "[course][update]") {
  STORY("The course drops a file that was edited, and one that was not.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.write("week1/day1_memtable/extra.h", "// mine\n");
  room.publish({}, {kRoom, kHeaderFile});
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, std::string("gone       ") + kRoom));
  CHECK_SAME(room.read(kRoom), "(not there)");
  CHECK_SAME(room.read(kHeaderFile), "(not there)");
  CHECK(room.kept(kRoom) == std::set<std::string>{kMine});
  CHECK(room.kept(kHeaderFile).empty());
  CHECK_SAME(room.read("week1/day1_memtable/extra.h"), "// mine\n");
}

TEST_CASE("a room that is renamed takes the learner's lines along",
          "[course][update]") {
  STORY("Once not committed, once committed.");
  for (const bool committed : {false, true}) {
    const Classroom room;
    const std::string there = "week1/day1_skip_list/memtable.cpp";
    room.write(kRoom, kMine);
    if (committed) room.commit(room.mine, "mine");
    room.publish({{there, kNewStarter}}, {kRoom});
    const Finished said = room.update();
    INFO(said.output << said.errors);
    CHECK(said.status == 0);
    CHECK_SAME(room.read(there), kMerged);
    CHECK_SAME(room.read(kRoom), "(not there)");
    CHECK(room.kept(kRoom) == std::set<std::string>{kMine});
    CHECK(contains(said.output, std::string("was ") + kRoom));
    CHECK_SAME(room.status(), committed ? "" : " M " + there + "\n");
  }
}

TEST_CASE("outside week*/ the course's version wins, and mine is kept",
          "[course][update]") {
  STORY("A test edited, one that the course left alone, a file in the way.");
  const Classroom room;
  room.write(kTest, "// a test of mine\n");
  room.write("course", "#!/bin/bash\n");        // not changed by the course
  room.write("tests/new_test.cpp", "mine\n");   // untracked
  room.write("tests/draft.swp", "mine too\n");  // ignored
  room.publish({{kTest, "// suite 2\n"},
                {"tests/new_test.cpp", "the course's\n"},
                {"book/page.md", "a page\n"}});
  room.git(room.course, {"add", "-f", "."});
  write_if_changed(room.course / "tests/draft.swp", "the course's\n");
  room.git(room.course, {"add", "-f", "tests/draft.swp"});
  room.git(room.course, {"commit", "-q", "-m", "more"});
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read(kTest), "// suite 2\n");
  CHECK_SAME(room.read("tests/new_test.cpp"), "the course's\n");
  CHECK_SAME(room.read("tests/draft.swp"), "the course's\n");
  CHECK_SAME(room.read("course"), "#!/bin/bash\n");
  CHECK(room.kept(kTest) == std::set<std::string>{"// a test of mine\n"});
  CHECK(room.kept("tests/new_test.cpp") == std::set<std::string>{"mine\n"});
  CHECK(room.kept("tests/draft.swp") == std::set<std::string>{"mine too\n"});
  CHECK_SAME(room.status(), " M course\n");
}

TEST_CASE("a starter that the learner removed comes back if it changed",
          "[course][update]") {
  STORY("Remove two files of the room; the course changes one.");
  const Classroom room;
  fs::remove(room.mine / kRoom);
  fs::remove(room.mine / kHeaderFile);
  room.publish_second();
  const Finished said = room.update();
  CHECK(said.status == 0);
  CHECK(contains(said.output, std::string("returned   ") + kRoom));
  CHECK_SAME(room.read(kRoom), kNewStarter);
  CHECK_SAME(room.read(kHeaderFile), "(not there)");
}

TEST_CASE("a folder or a link in the way is told, not touched",
          "[course][update]") {
  STORY("The learner has a file where the course brings a folder.");
  const Classroom room;
  room.write("week3", "a file\n");
  room.publish({{"week3/README.md", "Soon.\n"}, {kRoom, kNewStarter}});
  Finished said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "week3 of yours is in the way"));
  CHECK_SAME(room.read("week3"), "a file\n");
  CHECK_SAME(room.read(kRoom), kStarter);

  STORY("A link to a folder elsewhere; a folder where a file comes.");
  fs::remove(room.mine / "week3");
  fs::create_directory_symlink(room.folder.path, room.mine / "week3");
  said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "week3 of yours is in the way"));
  fs::remove(room.mine / "week3");
  room.write("week3/README.md/page", "mine\n");
  said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "week3/README.md of yours is in the way"));
  CHECK_SAME(room.read("week3/README.md/page"), "mine\n");
  fs::remove_all(room.mine / "week3");
  CHECK(room.update().status == 0);
  CHECK_SAME(room.read("week3/README.md"), "Soon.\n");
}

TEST_CASE("a file of the course becomes a folder, and back",
          "[course][update]") {
  STORY("tests/data, tests/data/one, tests/data.");
  const Classroom room;
  room.publish({{"tests/data", "a file\n"}});
  CHECK(room.update().status == 0);
  room.publish({{"tests/data/one", "1\n"}}, {"tests/data"});
  Finished said = room.update();
  INFO(said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read("tests/data/one"), "1\n");
  fs::remove_all(room.course / "tests/data");
  room.publish({{"tests/data", "again\n"}});
  said = room.update();
  INFO(said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read("tests/data"), "again\n");
  CHECK_SAME(room.status(), "");
}

TEST_CASE("a run that fails in the middle puts every file back",
          "[course][update]") {
  STORY("It throws before its first step, before its second ... before HEAD.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.write(kTest, "// a test of mine\n");
  room.publish({{"solutions/week1/day1_memtable/memtable.cpp", "// 2\n"},
                {kRoom, kNewStarter},
                {kTest, "// suite 2\n"},
                {"tests/data/deep/file", "new\n"}},
               {"week2/README.md"});
  const Files before = files_of(room.mine);
  const std::string head = room.head();
  const std::string status = room.status();
  int steps = 0;
  UpdateOptions options;
  for (int fails_at = 1;; fails_at++) {
    INFO("fails at step " << fails_at);
    steps = 0;
    std::string last;
    options.before_step = [&](std::string_view step) {
      last = step;
      if (++steps == fails_at && step != "index")
        throw std::runtime_error("the disk is full");
    };
    const int result = room.update_here(options);
    if (last == "index") {
      CHECK(result == 0);
      break;
    }
    REQUIRE(result == 1);
    REQUIRE(files_of(room.mine) == before);
    REQUIRE(!fs::exists(room.mine / "tests/data"));
    CHECK_SAME(room.head(), head);
    CHECK_SAME(room.status(), status);
  }
  CHECK(steps == 7);  // five paths, HEAD, index
  CHECK_SAME(room.read(kRoom), kMerged);
  CHECK_SAME(room.head(), room.course_head());
}

TEST_CASE("a run that was killed is taken back by the next",
          "[course][update]") {
  STORY("It is killed before each of its steps in turn.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.publish({{kRoom, kNewStarter},
                {kTest, "// suite 2\n"},
                {"tests/data/deep/file", "new\n"}},
               {"week2/README.md"});
  const Files before = files_of(room.mine);
  const std::string status = room.status();
  for (int step = 1; step <= 5; step++) {
    INFO("killed at step " << step);
    room.killed_at(step);
    Finished said = room.update({"--dry-run"});
    CHECK(said.status == 1);
    CHECK(contains(said.errors, "The last update was interrupted"));
    if (step == 5) break;
    said = room.update({"--from", "HEAD"});  // puts back, and has nothing else
    INFO(said.output << said.errors);
    CHECK(said.status == 0);
    CHECK(contains(said.output, "every file is as it was before"));
    REQUIRE(files_of(room.mine) == before);
    CHECK_SAME(room.status(), status);
  }

  STORY("After the last, the learner writes on; that stays.");
  CHECK_SAME(room.read(kRoom), kMerged);
  room.write(kRoom, kMerged + "// later\n");
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read(kRoom), kMerged + "// later\n");
  CHECK(room.kept(kRoom).contains(kMine));
  CHECK_SAME(room.read(kTest), "// suite 2\n");
}

TEST_CASE("a run that was killed behind its commit point is finished",
          "[course][update]") {
  STORY("HEAD has moved, the index has not.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.publish({{kRoom, kNewStarter}, {kTest, "// suite 2\n"}});
  room.killed_at(4);  // two paths, HEAD, index
  CHECK_SAME(room.head(), room.course_head());
  const Finished said = room.update();
  CHECK(said.status == 0);
  CHECK(contains(said.output, "interrupted at its end"));
  CHECK(contains(said.output, "Nothing newer"));
  CHECK_SAME(room.read(kRoom), kMerged);
  CHECK_SAME(room.status(), std::string(" M ") + kRoom + "\n");
}

TEST_CASE("a killed run is left alone where git has gone on",
          "[course][update]") {
  STORY("Killed with all files exchanged; then the learner commits.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.publish({{kRoom, kNewStarter}, {kTest, "// suite 2\n"}});
  room.killed_at(3);
  room.commit(room.mine, "what is this?");
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, "HEAD has moved since"));
  CHECK_SAME(room.read(kRoom), kMerged);
  CHECK(room.kept(kRoom) == std::set<std::string>{kMine});
  CHECK(room.kept(std::string("interrupted/before/") + kRoom) ==
        std::set<std::string>{kMine});
}

TEST_CASE("a file that is saved while it runs is not lost",
          "[course][update]") {
  STORY("The learner saves the room before the update comes to it.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.publish_second();
  UpdateOptions options;
  options.before_step = [&](std::string_view) {
    write_if_changed(room.mine / kRoom, kMine + "// saved\n");
  };
  CHECK(room.update_here(options) == 1);
  CHECK_SAME(room.read(kTest), "// suite 1\n");
  CHECK_SAME(room.read(kRoom), kMine + "// saved\n");
  CHECK(room.update().status == 0);
  CHECK_SAME(room.read(kRoom), kMerged + "// saved\n");
}

TEST_CASE("the course is where the learner's remotes say", "[course][update]") {
  STORY("A fork: origin is the learner's, upstream is the course.");
  const Classroom room;
  room.git(room.folder.path, {"clone", "-q", "--bare", "course", "fork"});
  room.git(room.mine, {"remote", "set-url", "origin",
                       (room.folder.path / "fork").string()});
  room.write(kRoom, kMine);
  room.commit(room.mine, "mine");
  room.git(room.mine, {"push", "-q", "origin", "main"});
  room.publish_second();
  CHECK(contains(room.update().output, "Nothing newer: you have origin/main"));
  room.git(room.mine, {"remote", "add", "upstream", room.course.string()});
  CHECK(room.update().status == 0);
  CHECK_SAME(room.read(kRoom), kMerged);

  STORY("On a branch of the learner's own, which has no upstream.");
  room.git(room.mine, {"remote", "remove", "upstream"});
  room.git(room.mine, {"switch", "-q", "-c", "evening"});
  CHECK(contains(room.update().output, "Nothing newer: you have origin ("));

  STORY("No remote at all; one that is not there.");
  room.git(room.mine, {"remote", "remove", "origin"});
  Finished said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "git remote add upstream"));
  room.git(room.mine, {"remote", "add", "upstream", "/nowhere at all"});
  said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "git could not fetch from upstream"));
  CHECK(contains(said.errors, "Nothing was changed."));
}

TEST_CASE("--from takes a ref, or another clone", "[course][update]") {
  STORY("A clone without a remote, and a newer one beside it.");
  const Classroom room;
  room.git(room.mine, {"remote", "remove", "origin"});
  room.write(kRoom, kMine);
  room.publish_second();
  Finished said = room.update({"--from", "nonsense"});
  CHECK(said.status == 2);
  CHECK(contains(said.errors, "neither a ref of this clone"));
  said = room.update({"--from", room.folder.path.string()});
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "git could not fetch"));
  said = room.update({"--from", "course"});  // from the folder it is called in
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read(kRoom), kMerged);

  room.publish({{kRoom, lsm::course::room("third", kHole1, kHole2)}});
  room.git(room.mine, {"fetch", "-q", room.course.string(), "HEAD:third"});
  CHECK(room.update({"--from", "third"}).status == 0);
  CHECK_SAME(room.read(kRoom), lsm::course::room("third", "return 1;", kHole2));

  STORY("A repository that is not the course.");
  const fs::path other = room.folder.path / "other";
  write_if_changed(other / "file", "x\n");
  room.git(other, {"init", "-q", "-b", "main"});
  room.commit(other, "x");
  said = room.update({"--from", other.string()});
  CHECK(said.status == 2);
  CHECK(contains(said.errors, "is not this course"));
}

TEST_CASE("a folder that is no clone is told how to become one",
          "[course][update]") {
  STORY("An archive of an older version, with the learner's edits.");
  const Classroom room;
  fs::remove_all(room.mine / ".git");
  room.write(kRoom, kMine);
  room.publish_second();
  Finished said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "git init && git add -A && git commit"));
  CHECK_SAME(room.read(kRoom), kMine);

  STORY("As told: the version is known by its solutions/.");
  room.git(room.mine, {"init", "-q", "-b", "main"});
  said = room.update();
  CHECK(contains(said.errors, "git init && git add -A"));  // no commit yet
  room.commit(room.mine, "the course so far");
  said = room.update({"--from", room.course.string()});
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK_SAME(room.read(kRoom), kMerged);
  CHECK_SAME(room.read(kTest), "// suite 2\n");
  CHECK_SAME(room.status(), "");

  STORY("One whose solutions/ no version has.");
  fs::remove_all(room.mine / ".git");
  room.write("solutions/base/todo.h", "// mine\n");
  room.git(room.mine, {"init", "-q", "-b", "main"});
  room.commit(room.mine, "the course so far");
  said = room.update({"--from", room.course.string()});
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "no commit in common"));

  STORY("The course inside another repository.");
  fs::remove_all(room.mine / ".git");
  room.git(room.folder.path, {"init", "-q", "-b", "main"});
  CHECK(contains(room.update().errors, "no git clone of the course"));
}

TEST_CASE("a version taken over by a squashed merge is the base",
          "[course][update]") {
  STORY("git merge --squash of version 2, then version 3.");
  const Classroom room;
  room.write(kRoom, kMine);
  room.commit(room.mine, "mine");
  room.publish_second();
  room.git(room.mine, {"fetch", "-q"});
  room.git(room.mine, {"merge", "-q", "--squash", "origin/main"});
  room.git(room.mine, {"commit", "-q", "-m", "version 2"});
  room.publish({{kRoom, lsm::course::room("third", kHole1, kHole2)}});
  const Finished said = room.update();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);  // from version 1 the top line would be a conflict
  CHECK_SAME(room.read(kRoom), lsm::course::room("third", "return 1;", kHole2));
}

TEST_CASE("what is staged is not lost", "[course][update]") {
  STORY("A new file and an edit, staged; both stay so.");
  const Classroom room;
  room.write("week1/notes.md", "mine\n");
  room.write(kHeaderFile, "int first();\nint second();\nint third();\n");
  room.git(room.mine, {"add", "-A"});
  room.publish_second();
  CHECK(room.update().status == 0);
  CHECK_SAME(room.status(),
             std::string("M  ") + kHeaderFile + "\nA  week1/notes.md\n");

  STORY("An edit of a file that the course changes: it is in the file.");
  room.write(kRoom, kMerged);
  room.git(room.mine, {"add", "-A"});
  room.publish({{kRoom, lsm::course::room("third", kHole1, kHole2)}});
  CHECK(room.update().status == 0);
  CHECK_SAME(room.read(kRoom), lsm::course::room("third", "return 1;", kHole2));

  STORY("Staged in one form and there in another: it is for the learner.");
  room.write(kRoom, "staged\n");
  room.git(room.mine, {"add", "-A"});
  room.write(kRoom, "in the file\n");
  room.publish({{kTest, "// suite 4\n"}});
  Finished said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "is staged in one form"));

  STORY("A merge that is not finished.");
  write_if_changed(room.mine / ".git/MERGE_HEAD", room.course_head());
  said = room.update();
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "not finished"));
  CHECK_SAME(room.read(kTest), "// suite 2\n");
}

TEST_CASE("the paths that learners write in", "[course][update]") {
  CHECK(is_learners(kRoom));
  CHECK(is_learners("week3/README.md"));
  CHECK(!is_learners("weekly/notes.md"));
  CHECK(!is_learners("tests/week1/day1_memtable_test.cpp"));
  CHECK(!is_learners("week1"));
}

}  // namespace
}  // namespace lsm::course
