// Reading mutants and applying them: an edit that is not exactly what it says
// must never count as a kill.
#include "course/mutants.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "course/rooms.h"
#include "support/catch.h"

namespace lsm::course {
namespace {

using Files = std::map<std::string, std::string>;

constexpr std::string_view kText =
    "bug: It returns one too many.\n"
    "task: 2\n"
    "file: a.cpp\n"
    "--- find\n"
    "  return n;\n"
    "--- replace\n"
    "  return n + 1;\n"
    "--- end\n";

Mutant parse(std::string_view text) {
  return parse_mutant("m", "m.mutant", text);
}

std::string error_of(std::string_view text, const Files& files) {
  try {
    apply_mutant(parse(text), files);
  } catch (const MutantError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("a mutant is read and applied", "[course]") {
  const Mutant mutant = parse(kText);
  CHECK(mutant.bug == "It returns one too many.");
  CHECK(mutant.task == 2);
  const Files files = {{"a.cpp", "f() {\n  return n;\n}\n"}, {"a.h", "x\n"}};
  CHECK(apply_mutant(mutant, files) ==
        Files{{"a.cpp", "f() {\n  return n + 1;\n}\n"}, {"a.h", "x\n"}});
}

TEST_CASE("edits may be several, in several files, and delete", "[course]") {
  const Mutant mutant = parse(
      "bug: b\n"
      "task: 1\n"
      "file: a.cpp\n"
      "--- find\n"
      "one\n"
      "--- replace\n"
      "--- end\n"
      "--- find\n"
      "three\n"
      "--- replace\n"
      "3\n"
      "--- end\n"
      "file: a.h\n"
      "--- find\n"
      "x\n"
      "--- replace\n"
      "y\n"
      "--- end\n");
  CHECK(
      apply_mutant(mutant, {{"a.cpp", "one\ntwo\nthree\n"}, {"a.h", "x\n"}}) ==
      Files{{"a.cpp", "two\n3\n"}, {"a.h", "y\n"}});
}

TEST_CASE("an edit that does not apply exactly once is an error", "[course]") {
  CHECK(error_of(kText, {{"a.cpp", "return n;\n"}}) ==
        "m.mutant:4: these lines stand 0 times in a.cpp, not once");
  CHECK(error_of(kText, {{"a.cpp", "  return n;\n  return n;\n"}}) ==
        "m.mutant:4: these lines stand 2 times in a.cpp, not once");
  // Only whole lines count.
  CHECK(error_of(kText, {{"a.cpp", "else  return n;\n"}}) ==
        "m.mutant:4: these lines stand 0 times in a.cpp, not once");
  CHECK(error_of(kText, {{"b.cpp", ""}}) ==
        "m.mutant:4: the room has no file 'a.cpp'");
}

TEST_CASE("a malformed mutant is an error with its line", "[course]") {
  CHECK(error_of("bug: b\ntask: 1\n", {}) == "m.mutant:2: it edits nothing");
  CHECK(error_of("bug: b\ntask: two\n", {}) ==
        "m.mutant:2: 'two' is no task number");
  CHECK(error_of("bug: b\n--- find\n", {}) ==
        "m.mutant:2: no file: says where to find this");
  CHECK(error_of("file: a\n--- find\nx\n", {}) ==
        "m.mutant:2: no '--- replace' follows");
  CHECK(error_of("hello\n", {}) ==
        "m.mutant:1: 'hello' is none of bug:, unseen:, task:, file:, --- find");
  CHECK(error_of("file: a\n--- find\nx\n--- replace\nx\n--- end\n", {}) ==
        "m.mutant:2: it changes nothing");
}

TEST_CASE("a mutant may say why no history shows it", "[course]") {
  CHECK(parse(kText).unseen.empty());
  const std::string text(kText);
  CHECK(parse("unseen: Only a message differs.\n" + text).unseen ==
        "Only a message differs.");
  CHECK(error_of("unseen:\n" + text, {}) ==
        "m.mutant:1: unseen: does not say why");
}

TEST_CASE("a mutant of a header cannot be proven", "[course]") {
  CHECK(can_be_proven(parse(kText)));
  std::string text(kText);
  text.replace(text.find("a.cpp"), 5, "a.h");
  CHECK(!can_be_proven(parse(text)));
}

TEST_CASE("a proving program's report is read", "[course]") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() /
      ("lsm-proof-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto verdict = [&](const std::string& body) {
    const std::filesystem::path program = folder / "proof";
    std::ofstream(program) << "#!/bin/sh\n" << body;
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return first_wrong(program, std::chrono::seconds(1)).value_or("nothing");
  };
  const std::string plan =
      "{\"isolation\": \"snapshot\", \"workload\": \"register\", ";
  CHECK(verdict("exit 0\n") == "nothing");
  CHECK(verdict("test \"$*\" = '--trial --json'\n") == "nothing");
  CHECK(verdict("echo '" + plan +
                "\"first\": {\"seed\": 7, \"anomaly\": \"P4\"}}'\nexit 1\n") ==
        "P4, snapshot, register, seed 7");
  CHECK(verdict("echo '" + plan +
                "\"first\": null, \"broken_off\": \"no room\"}'\nexit 1\n") ==
        "an error, snapshot, register: no room");
  CHECK(verdict("kill -SEGV $$\n") == "a crash (signal 11)");
  CHECK(verdict("exec sleep 60\n") == "(it does not end: killed after 1 s)");
  std::filesystem::remove_all(folder);
}

TEST_CASE("every mutant of the course applies to its room", "[course]") {
  const Course course = discover(LSM_SOURCE_ROOT, "build");
  std::size_t applied = 0;
  for (const Room& room : course.rooms) {
    const Files reference = read_sources(room.reference);
    for (const Mutant& mutant : mutants_of(room)) {
      CHECK(apply_mutant(mutant, reference) != reference);
      ++applied;
    }
  }
  CHECK(applied >= kFewestMutants * course.rooms.size());
}

}  // namespace
}  // namespace lsm::course
