// The whole engine: every test on the reference, the engine from my rooms,
// and the tools built from either.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "builder.h"
#include "check.h"
#include "commands.h"
#include "process.h"
#include "progress.h"
#include "syllabus.h"
#include "terminal.h"
#include "verdict.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtOnce = 2;
constexpr std::size_t kNameWidth = 34;

// A program that ctest knows.
struct Program {
  std::string name;
  std::string label;  // suite, base, engine, course, consumer
  std::vector<std::string> argv;
  std::chrono::seconds timeout{900};
  bool filtered = false;  // some of its tests are left out
};

struct Count {
  std::size_t passed = 0;
  std::size_t failed = 0;
};

std::vector<Program> programs_of(const fs::path& folder) {
  const Finished listed =
      run({"ctest", "--test-dir", folder.string(), "--show-only=json-v1"});
  const auto json = nlohmann::json::parse(listed.output, nullptr, false);
  std::vector<Program> result;
  if (!json.is_object() || !json.contains("tests")) return result;
  for (const auto& test : json["tests"]) {
    Program program;
    program.name = test["name"];
    if (test.contains("command")) {  // else it is not built yet
      program.argv = test["command"].get<std::vector<std::string>>();
    }
    for (const auto& property : test["properties"]) {
      if (property["name"] == "LABELS") program.label = property["value"][0];
      if (property["name"] == "TIMEOUT") {
        program.timeout =
            std::chrono::seconds(static_cast<int>(property["value"]));
      }
    }
    result.push_back(program);
  }
  return result;
}

// The failing test cases of one program, as lines.
std::string failing_lines(const std::vector<TestResult>& results) {
  std::string text;
  for (const TestResult& result : results) {
    if (result.outcome == Outcome::passed) continue;
    text += fmt::format("    {} {}\n", sign(Sign::failed), result.test.name);
    if (!result.failure) continue;
    const Failure& failure = *result.failure;
    for (const auto& [label, value] : {std::pair{"scenario", failure.scenario},
                                       std::pair{"seed", failure.seed},
                                       std::pair{"checked", failure.checked},
                                       std::pair{"expected", failure.expected},
                                       std::pair{"seen", failure.seen},
                                       std::pair{"message", failure.message}}) {
      if (!value.empty()) text += fmt::format("      {}: {}\n", label, value);
    }
    for (const std::string& note : failure.notes) {
      text += fmt::format("      {}\n", note);
    }
    text += fmt::format("      {}:{}\n", failure.file, failure.line);
  }
  return text;
}

// Runs one program and prints its line.
Count run_program(const Program& program, const fs::path& folder,
                  std::mutex& printing) {
  const bool catch_program = program.label != "consumer";
  std::vector<std::string> argv = program.argv;
  if (catch_program) argv.insert(argv.end(), {"-r", "xml"});
  const auto begin = std::chrono::steady_clock::now();
  const Finished finished = run(argv, folder, program.timeout);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  Count count;
  std::string details;
  if (catch_program) {
    const std::vector<TestResult> results = parse_report(finished.output);
    for (const TestResult& result : results) {
      (result.outcome == Outcome::passed ? count.passed : count.failed)++;
    }
    details = failing_lines(results);
  } else if (finished.status == 0) {
    count.passed = 1;
  }
  // Catch2 3 calls it an error when a filter leaves no test.
  const bool nothing_left =
      program.filtered && catch_program && count.passed + count.failed == 0;
  if (finished.status != 0 && count.failed == 0 && !nothing_left) {
    count.failed = 1;
    details += "      " +
               (finished.timed_out
                    ? fmt::format("it did not end within {} s",
                                  program.timeout.count())
                    : fmt::format("it ended with status {}", finished.status)) +
               "\n" + last_lines(finished.errors, 20) + "\n";
  }
  const std::lock_guard lock(printing);
  show_status({});
  fmt::print("  {} {} {:>4} {}  {:>6.1f} s\n{}",
             sign(count.failed == 0 ? Sign::passed : Sign::failed),
             padded(program.name, kNameWidth), count.passed + count.failed,
             count.passed + count.failed == 1 ? "test " : "tests", seconds,
             spelled(details));
  std::fflush(stdout);
  return count;
}

// Runs all of them, two at a time; the last line is the sum.
int run_programs(const std::vector<Program>& programs, const fs::path& folder) {
  std::mutex printing;
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> passed = 0;
  std::atomic<std::size_t> failed = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < programs.size(); i = next++) {
      const Count count = run_program(programs[i], folder, printing);
      passed += count.passed;
      failed += count.failed;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kAtOnce; i++)
    threads.emplace_back(work);
  for (std::thread& thread : threads)
    thread.join();
  fmt::print("\n{}\n", ink(failed == 0 ? Ink::good : Ink::bad,
                           fmt::format("{} passed, {} failed", passed.load(),
                                       failed.load())));
  return failed == 0 && passed > 0 ? 0 : 1;
}

// Builds and says so; on failure shows the errors and returns false.
bool build_or_tell(const Course& course, const fs::path& folder,
                   const std::vector<std::string>& targets,
                   std::string_view what, const std::string& room_folder = {}) {
  show_status(fmt::format("  building {} ...", what));
  const Built built = build(folder, targets, [&](std::string_view step) {
    show_status(fmt::format("  building {} {}", what, step));
  });
  show_status({});
  if (built.ok) return true;
  fmt::print(stderr, "Building {} failed.\n\n", what);
  const auto errors = compile_errors(built.output, course.root, room_folder);
  for (std::size_t i = 0; i < errors.size() && i < 5; i++) {
    fmt::print(stderr, "{}:{}: {}\n", errors[i].file, errors[i].line,
               errors[i].message);
    for (const std::string& line : errors[i].source) {
      fmt::print(stderr, "{}\n", line);
    }
  }
  if (errors.empty()) fmt::print(stderr, "{}\n", last_lines(built.output, 20));
  return false;
}

std::optional<Hole> first_hole(const Room& room) {
  for (const auto& [name, source] : read_sources(room.mine)) {
    const std::vector<Hole> holes = holes_of(room.id, source);
    if (!holes.empty()) return holes[0];
  }
  return std::nullopt;
}

// "1.1;1.4" from what was typed, or, when nothing was, from the rooms that are
// green and have no hole that the engine could fall into; those edited since
// their last check are checked first. Empty: none.
std::string chosen_rooms(const Course& course, const std::string& typed,
                         bool& bad) {
  std::string result;
  const auto add = [&](const Room& room) {
    result += (result.empty() ? "" : ";") + room.id;
  };
  Progress progress = Progress::load(course);
  if (typed == "all") {
    for (const Room& room : course.rooms) {
      if (room.has_starter()) add(room);
    }
    return result;
  }
  if (!typed.empty()) {
    for (std::size_t at = 0; at <= typed.size();) {
      const std::size_t end =
          std::min(typed.find_first_of(",; ", at), typed.size());
      const Room* room =
          choose_room(course, typed.substr(at, end - at), progress);
      if (room == nullptr) {
        bad = true;
        return {};
      }
      add(*room);
      at = end + 1;
    }
    return result;
  }
  for (const Room& room : course.rooms) {
    if (progress.state(course, room) == State::edited) {
      show_status(fmt::format("  {} was edited since its last check", room.id));
      CheckOptions options;
      options.json = true;  // no status line of its own
      check_room(course, room, options, progress);
    }
    const State state = progress.state(course, room);
    if (state != State::green && state != State::gold) continue;
    if (const auto hole = first_hole(room)) {
      show_status({});
      print_line(fmt::format(
          "{} still has a hole, task {}, {}: the reference's takes its place.\n"
          "(Yours all the same: ./course mine --rooms {})",
          room.id, hole->task, hole->label, room.id));
    } else {
      add(room);
    }
  }
  show_status({});
  return result;
}

// Configures build/mine for the rooms; false when that failed (it has said
// why) or when no room is finished.
bool prepare_mine(const Course& course, const std::string& typed,
                  std::string& rooms, int& status) {
  bool bad = false;
  rooms = chosen_rooms(course, typed, bad);
  status = bad ? 2 : 1;
  if (bad) return false;
  if (rooms.empty()) {
    print_line(
        "None of your rooms is whole yet, so the engine would be the "
        "reference.\nTo run an unfinished one in it: ./course mine "
        "--rooms 1.1");
    return false;
  }
  show_status("  configuring build/mine ...");
  const Built configured =
      configure(course, course.root / "build" / "mine", {"LSM_MINE=" + rooms});
  show_status({});
  if (!configured.ok) {
    fmt::print(stderr, "{}\n", last_lines(configured.output, 20));
  }
  return configured.ok;
}

}  // namespace

int command_test(const Course& course, bool quick, const std::string& only) {
  if (quick) setenv("LSM_TEST_SCALE", "0.1", 0);
  std::vector<std::string> targets = {"checks"};
  if (!only.empty()) {
    // A program's target has its name.
    targets.clear();
    for (const Program& program : programs_of(course.build)) {
      if (program.name.find(only) == std::string::npos) continue;
      targets.push_back(program.label == "consumer" ? "checks" : program.name);
    }
    if (targets.empty()) {
      return bad_usage(fmt::format("No test program is called \"{}\".", only));
    }
  }
  print_line(only.empty() ? "The reference, every suite and the engine's tests:"
                          : "The tests called " + only + ":");
  std::fflush(stdout);
  if (!build_or_tell(course, course.build, targets, "the tests")) return 1;
  std::vector<Program> programs = programs_of(course.build);
  std::erase_if(programs, [&](const Program& program) {
    return (quick && program.label == "consumer") ||
           program.name.find(only) == std::string::npos;
  });
  if (quick) {
    for (Program& program : programs) {
      if (program.label != "engine") continue;
      program.argv.push_back("~[long]");
      program.filtered = true;
    }
  }
  return run_programs(programs, course.build);
}

int command_mine(const Course& course, const std::string& typed) {
  std::string rooms;
  int status = 1;
  if (!prepare_mine(course, typed, rooms, status)) return status;
  std::string shown = rooms;
  std::ranges::replace(shown, ';', ' ');
  print_line(
      fmt::format("The engine with your {}, the rest from the "
                  "reference:",
                  shown));
  const fs::path folder = course.root / "build" / "mine";
  print_line(ink(Ink::dim, fs::exists(folder / "lsm")
                               ? "(its tests take some five minutes)"
                               : "(the first build takes some five minutes on "
                                 "two cores, its tests as long again)"));
  std::fflush(stdout);
  if (!build_or_tell(
          course, folder,
          {"engine_tests", "lsm", "lsm-bench", "lsm-crash", "lsm-check"},
          "your engine", "week")) {
    return 1;
  }
  std::vector<Program> programs = programs_of(folder);
  std::erase_if(programs, [](const Program& program) {
    return program.label != "engine";
  });
  const int result = run_programs(programs, folder);
  fmt::print("\n");
  print_field("use it", "./course shell --mine", Ink::link);
  print_field("measure it", "./course bench --mine", Ink::link);
  print_field("break it", "./course crash --mine", Ink::link);
  print_field("prove it", "./course prove --mine", Ink::link);
  return result;
}

std::string built_tool(const Course& course, const std::string& tool, bool mine,
                       int& status) {
  fs::path folder = course.build;
  status = 1;
  if (mine) {
    folder = course.root / "build" / "mine";
    std::string rooms;
    // As `course mine` left it, with the rooms it was told.
    if (!fs::exists(folder / ".configured") &&
        !prepare_mine(course, {}, rooms, status)) {
      return {};
    }
  }
  if (!fs::exists(folder / tool)) {
    // Not to stdout: that is the tool's, which may print JSON.
    fmt::print(stderr,
               "Building the engine (once: two or three minutes on two "
               "cores) ...\n");
  }
  if (!build_or_tell(course, folder, {tool}, tool, "week")) return {};
  return (folder / tool).string();
}

int command_tool(const Course& course, const std::string& tool,
                 const std::vector<std::string>& args, bool mine) {
  int status = 1;
  const std::string binary = built_tool(course, tool, mine, status);
  if (binary.empty()) return status;
  std::vector<char*> argv = {const_cast<char*>(binary.c_str())};
  for (const std::string& arg : args) {
    argv.push_back(const_cast<char*>(arg.c_str()));
  }
  argv.push_back(nullptr);
  std::fflush(stdout);
  execv(binary.c_str(), argv.data());
  fmt::print(stderr, "{}: {}\n", binary, std::strerror(errno));
  return 1;
}

}  // namespace lsm::course
