#include "pristine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "builder.h"
#include "starter.h"
#include "verdict.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNotImplemented = "not implemented yet: ";

// A checkout whose week*/ is what the solutions make of it; everything else is
// the real one, by links.
Course pristine_checkout(const Course& course, const fs::path& folder) {
  for (const char* name : {"CMakeLists.txt", "solutions", "tests", "book"}) {
    const fs::path link = folder / name;
    if (!fs::exists(course.root / name)) continue;
    fs::create_directories(folder);
    if (fs::is_symlink(link)) fs::remove(link);
    fs::create_symlink(course.root / name, link);
  }
  for (const Room& room : course.rooms) {
    const auto starter = generate_starter(room);
    const fs::path there = folder / room.folder;
    if (starter.empty()) fs::remove_all(there);
    for (const auto& [name, content] : read_sources(there)) {
      if (!starter.contains(name)) fs::remove(there / name);
    }
    for (const auto& [name, content] : starter) {
      write_if_changed(there / name, content);
    }
  }
  return discover(folder, course.build);
}

// "not implemented yet: 1.1 task 2 — …" in any part of what a failure said.
bool names_task(const Failure& failure, std::string_view id) {
  const std::string wanted =
      id.empty() ? std::string(kNotImplemented)
                 : fmt::format("{}{} task ", kNotImplemented, id);
  const auto says = [&](const std::string& text) {
    return text.find(wanted) != std::string::npos;
  };
  return says(failure.message) || says(failure.seen) ||
         std::ranges::any_of(failure.notes, says);
}

class Proof {
 public:
  Proof(const Course& course, fs::path build)
      : course_(course), build_(std::move(build)) {}

  // Builds and judges the suites of `rooms`; with `own`, a room's failures
  // must name the room's own tasks.
  void judge(const std::vector<const Room*>& rooms, bool own,
             const std::string& title,
             const std::vector<std::string>& definitions) {
    fmt::print("{}\n", title);
    const Built configured = configure(course_, build_, definitions);
    if (!configured.ok) {
      complain("it does not configure:\n" + last_lines(configured.output, 20));
      return;
    }
    std::vector<std::string> targets;
    for (const Room* room : rooms) {
      targets.push_back(room->suite_target("mine"));
    }
    const bool all = build(build_, targets).ok;
    for (const Room* room : rooms) {
      if (!all) {
        const Built one = build(build_, {room->suite_target("mine")});
        if (!one.ok) {
          complain(fmt::format("{}: does not compile:\n{}", room->id,
                               errors_in(one.output, *room)));
          continue;
        }
      }
      judge_suite(*room, own ? room->id : std::string_view());
    }
  }

  std::size_t cases() const { return cases_; }
  std::size_t complaints() const { return complaints_; }

 private:
  void complain(const std::string& what) {
    complaints_++;
    fmt::print("  WRONG {}\n", what);
  }

  std::string errors_in(const std::string& output, const Room& room) const {
    std::string text;
    for (const CompileError& error :
         compile_errors(output, course_.root, room.folder)) {
      text +=
          fmt::format("    {}:{}: {}\n", error.file, error.line, error.message);
    }
    return text.empty() ? last_lines(output, 20) : text;
  }

  void judge_suite(const Room& room, std::string_view id) {
    SuiteRun suite;
    suite.binary = build_ / "suites" / room.suite_target("mine");
    suite.cases = cases_of(read_file(room.suite));
    const Verdict verdict = run_suite(suite);
    if (verdict.tests.empty()) complain(room.id + ": it has no tests");
    std::size_t right = 0;
    for (const TestResult& result : verdict.tests) {
      cases_++;
      const std::string label =
          fmt::format("{}: \"{}\"", room.id, result.test.name);
      switch (result.outcome) {
        case Outcome::passed:
          complain(label + " passes");
          break;
        case Outcome::crashed:
          complain(label + " crashes");
          break;
        case Outcome::hung:
          complain(label + " hangs");
          break;
        case Outcome::not_run:
          complain(label + " did not run");
          break;
        case Outcome::failed:
        case Outcome::not_implemented:
          if (result.failure && names_task(*result.failure, id)) {
            right++;
          } else {
            complain(fmt::format(
                "{} fails, but names no task of {}: {}", label,
                id.empty() ? std::string_view("any room") : id,
                result.failure ? result.failure->message : std::string()));
          }
      }
    }
    fmt::print("  {} {:<12} {} of {} test cases name their task\n", room.id,
               room.name, right, verdict.tests.size());
  }

  const Course& course_;
  fs::path build_;
  std::size_t cases_ = 0;
  std::size_t complaints_ = 0;
};

}  // namespace

int command_pristine(const Course& course, std::span<const std::string> args) {
  fs::path build = course.build.parent_path() / "pristine";
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < args.size(); i++) {
    if (args[i] == "--build" && i + 1 < args.size()) {
      build = fs::absolute(args[++i]);
    } else if (course.find(args[i]) != nullptr) {
      wanted.push_back(args[i]);
    } else {
      fmt::print(stderr, "pristine: there is no room '{}'\n", args[i]);
      return 2;
    }
  }
  try {
    const Course checkout = pristine_checkout(course, build / "checkout");
    std::vector<const Room*> rooms;
    for (const Room& room : checkout.rooms) {
      if (!room.has_starter() || !room.has_suite()) continue;
      if (!wanted.empty() && std::ranges::find(wanted, room.id) == wanted.end())
        continue;
      rooms.push_back(&room);
    }
    if (rooms.empty()) {
      fmt::print("no starters with a suite\n");
      return 1;
    }
    Proof alone(checkout, build / "alone");
    alone.judge(rooms, true, "each starter alone",
                {"LSM_WERROR=ON", "LSM_TOOLS=OFF"});
    Proof together(checkout, build / "together");
    together.judge(rooms, false, "all starters together",
                   {"LSM_WERROR=ON", "LSM_TOOLS=OFF", "LSM_MINE=all"});
    const std::size_t wrong = alone.complaints() + together.complaints();
    fmt::print("{} starters, {} test cases: {} wrong\n", rooms.size(),
               alone.cases() + together.cases(), wrong);
    return wrong == 0 ? 0 : 1;
  } catch (const StarterError& error) {
    fmt::print("{}\n", error.what());
    return 1;
  }
}

}  // namespace lsm::course
