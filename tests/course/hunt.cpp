#include "hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "builder.h"
#include "check.h"
#include "guide.h"
#include "progress.h"
#include "syllabus.h"
#include "terminal.h"
#include "verdict.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExampleEnds = "// The example ends here.";

std::string code_of(const Mutant& mutant) {
  return fingerprint_of(mutant.name);
}

std::string hunt_target(const Room& room, std::string_view side) {
  return fmt::format("hunt_{}_{}", room.target_id(), side);
}

// The text between two lines of a source, both included, counted from 1.
std::string lines_between(std::string_view source, std::size_t first,
                          std::size_t last) {
  std::istringstream lines{std::string(source)};
  std::string result;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    number++;
    if (number >= first && number <= last) result += line + "\n";
  }
  return result;
}

// The namespaces that are still open at the end of `source`, as the lines
// that close them.
std::string closing_lines(std::string_view source) {
  std::istringstream lines{std::string(source)};
  std::vector<std::string> open;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("namespace ") && line.ends_with("{")) {
      open.push_back(line.substr(0, line.size() - 2));
    } else if (line.starts_with("}") && !open.empty() &&
               line.find("// namespace") != std::string::npos) {
      open.pop_back();
    }
  }
  std::string result;
  for (; !open.empty(); open.pop_back())
    result += "\n}  // " + open.back();
  return result.empty() ? result : result + "\n";
}

// The names of the tests in `source` that stand there as the template has
// them: its example, unchanged.
std::vector<std::string> examples_in(const std::string& source,
                                     const std::string& pristine) {
  std::vector<std::string> names;
  for (const Case& known : cases_of(pristine)) {
    const std::string text =
        lines_between(pristine, known.line, known.last_line);
    if (source.find(text) != std::string::npos) names.push_back(known.name);
  }
  return names;
}

class Hunt {
 public:
  Hunt(const Course& course, const Room& room, std::vector<Mutant> mutants)
      : course_(course),
        room_(room),
        file_(hunt_file(course, room)),
        mutants_(std::move(mutants)) {
    load();
  }

  int list() const {
    print_title("");
    for (std::size_t i = 0; i < mutants_.size(); i++) {
      const Mutant& mutant = mutants_[i];
      const bool caught = kept().caught.contains(code_of(mutant));
      const bool shown = kept().shown.contains(code_of(mutant));
      const std::string words = caught || shown ? mutant.bug
                                : tries(mutant) > 0
                                    ? fmt::format("task {}", mutant.task)
                                    : std::string();
      print_field(fmt::format("{:>3} {}", i + 1,
                              sign(caught  ? Sign::passed
                                   : shown ? Sign::skipped
                                           : Sign::waiting)),
                  words, caught ? Ink::plain : Ink::dim);
    }
    fmt::print("\n  {}\n", score());
    return 0;
  }

  // Which one is hunted now; nothing when none is left.
  std::optional<std::size_t> choose(const HuntOptions& options) const {
    if (options.number > 0) {
      return static_cast<std::size_t>(options.number - 1);
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < mutants_.size(); i++) {
      if (code_of(mutants_[i]) != kept().current) continue;
      begin = i + (options.next ? 1 : 0);
    }
    for (std::size_t i = 0; i < mutants_.size(); i++) {
      const std::size_t at = (begin + i) % mutants_.size();
      const std::string code = code_of(mutants_[at]);
      if (!kept().caught.contains(code) && !kept().shown.contains(code)) {
        return at;
      }
    }
    return std::nullopt;
  }

  int none_left() const {
    print_title("");
    print_line(fmt::format("  Nothing is left to hunt here: {}.", score()));
    print_line(
        ink(Ink::dim, "  (--list shows them; --mutant 3 hunts one again)"));
    return 0;
  }

  int show(std::size_t at) {
    const Mutant& mutant = mutants_[at];
    if (!kept().caught.contains(code_of(mutant))) {
      keep([&](Hunted& hunted) { hunted.shown.insert(code_of(mutant)); });
    }
    print_title(fmt::format("mutant {} of {}", at + 1, mutants_.size()));
    print_bug(mutant);
    print_field("where", place_of(mutant, room_));
    print_field("page", page_of(course_, room_, mutant.task), Ink::link);
    print_field("next", "./course hunt " + room_.id, Ink::link);
    return 0;
  }

  int run(std::size_t at, int seconds) {
    const Mutant& mutant = mutants_[at];
    keep([&](Hunted& hunted) { hunted.current = code_of(mutant); });
    const std::string pristine = hunt_template(room_, read_file(room_.suite));
    const bool created = !fs::exists(file_);
    if (created) write_if_changed(file_, pristine);
    source_ = read_file(file_);
    examples_ = examples_in(source_, pristine);
    limit_ = std::chrono::seconds(seconds);

    print_title(fmt::format("mutant {} of {}", at + 1, mutants_.size()));
    if (created) {
      print_field("new", shown_path(file_.string(), course_.root) +
                             ": your tests of this room. It begins with the "
                             "helpers of the day's own tests and one example.");
      fmt::print("\n");
    }
    if (!passes_reference()) return 1;
    if (own_tests_ == 0) {
      print_field("mutant", "not tried yet: the example does not count",
                  Ink::dim);
      fmt::print("\n");
      print_field("write",
                  fmt::format("a test in {}: one that the reference "
                              "passes and the mutant does not",
                              shown_path(file_.string(), course_.root)));
      print_field("then", "./course hunt " + room_.id, Ink::link);
      return 1;
    }
    return try_mutant(mutant);
  }

 private:
  const Hunted& kept() const { return kept_; }
  int tries(const Mutant& mutant) const {
    const auto found = kept().misses.find(code_of(mutant));
    return found == kept().misses.end() ? 0 : found->second;
  }
  void load() { kept_ = Progress::load(course_).at(room_.id).hunted; }

  // Read anew before each change: a check in another terminal may have
  // written meanwhile.
  template <typename Change>
  void keep(const Change& change) {
    Progress progress = Progress::load(course_);
    change(progress.at(room_.id).hunted);
    progress.save();
    kept_ = progress.at(room_.id).hunted;
  }

  std::string score() const {
    std::size_t caught = 0;
    std::size_t shown = 0;
    for (const Mutant& mutant : mutants_) {
      caught += kept().caught.contains(code_of(mutant)) ? 1u : 0u;
      shown += kept().shown.contains(code_of(mutant)) ? 1u : 0u;
    }
    return fmt::format("{} of {} caught{}", caught, mutants_.size(),
                       shown == 0 ? "" : fmt::format(", {} shown", shown));
  }

  void print_title(std::string_view right) const {
    fmt::print("\n{}   {}\n\n",
               ink(Ink::bold, fmt::format("{} {}, the hunt", room_.id,
                                          title_of_name(room_.name))),
               ink(Ink::dim, right));
  }

  void print_bug(const Mutant& mutant) const {
    print_field("bug", mutant.bug, Ink::bold);
    print_field("mutant",
                fmt::format("{}, of task {}", mutant.name, mutant.task));
  }

  bool is_example(const TestResult& result) const {
    return std::ranges::find(examples_, result.test.name) != examples_.end();
  }

  // Builds the learner's file on one side; false after it has said why not.
  bool built(std::string_view side) const {
    const std::string target = hunt_target(room_, side);
    if (!fs::exists(course_.build / "hunts" / target)) {
      fmt::print("  {}\n",
                 ink(Ink::dim, fmt::format("Building {} (once: a "
                                           "minute or so) ...",
                                           side == "ref" ? "the reference"
                                                         : "the mutant")));
      std::fflush(stdout);
    }
    const std::string label =
        side == "ref" ? "  building your tests " : "  building the mutant ";
    show_status(label + "...");
    const Built result = build(
        course_.build, {target},
        [&](std::string_view step) { show_status(label + std::string(step)); });
    show_status({});
    if (result.ok) return true;
    if (side == "mutant") {  // the compiler's words would give it away
      print_field("wrong",
                  "The mutant does not build, which is no fault of yours. "
                  "--next leaves it out; the compiler's words: cmake --build "
                  "build/course --target " +
                      target,
                  Ink::bad);
      return false;
    }
    print_errors(compile_errors(result.output, course_.root,
                                shown_path(file_.string(), course_.root)),
                 result);
    print_field("next", "fix the first, save, ./course hunt " + room_.id,
                Ink::link);
    return false;
  }

  Verdict verdict_of(std::string_view side) const {
    SuiteRun suite;
    suite.binary = course_.build / "hunts" / hunt_target(room_, side);
    suite.cases = cases_of(source_);
    suite.limit = limit_;
    suite.status = true;
    return run_suite(suite);
  }

  bool passes_reference() {
    if (!built("ref")) return false;
    const Verdict verdict = verdict_of("ref");
    if (verdict.tests.empty()) {
      print_field(
          "wrong",
          shown_path(file_.string(), course_.root) + " has no TEST_CASE.",
          Ink::bad);
      return false;
    }
    const TestResult* failing = verdict.first_failure();
    if (failing != nullptr) {
      print_field("wrong",
                  "Your test is wrong: the reference does not pass it.",
                  Ink::bad);
      Room room = room_;
      room.suite = file_;  // where the failing line is sought
      print_failure(course_, room, *failing);
      return false;
    }
    own_tests_ = static_cast<std::size_t>(std::ranges::count_if(
        verdict.tests,
        [&](const TestResult& result) { return !is_example(result); }));
    print_field("reference",
                own_tests_ == 0 ? std::string("passes the example")
                : own_tests_ == 1
                    ? std::string("passes your test")
                    : fmt::format("passes your {} tests", own_tests_),
                Ink::good);
    std::fflush(stdout);
    return true;
  }

  int try_mutant(const Mutant& mutant) {
    const std::map<std::string, std::string> reference =
        read_sources(room_.reference);
    const fs::path folder = mutant_folder(course_.build, room_);
    struct Restorer {
      const fs::path& folder;
      const std::map<std::string, std::string>& reference;
      ~Restorer() {
        try {
          write_room(folder, reference);
        } catch (const std::exception& error) {
          fmt::print(stderr, "{}\n", error.what());
        }
      }
    } const restorer{folder, reference};
    write_room(folder, apply_mutant(mutant, reference));
    if (!built("mutant")) return 1;
    const Verdict verdict = verdict_of("mutant");
    const TestResult* killer = nullptr;
    for (const TestResult& result : verdict.tests) {
      if (killer == nullptr && !is_example(result) &&
          result.outcome != Outcome::passed &&
          result.outcome != Outcome::not_run) {
        killer = &result;
      }
    }
    return killer == nullptr ? lives(mutant) : caught(mutant, *killer);
  }

  int caught(const Mutant& mutant, const TestResult& killer) {
    const bool shown = kept().shown.contains(code_of(mutant));
    if (!shown) {
      keep([&](Hunted& hunted) { hunted.caught.insert(code_of(mutant)); });
    }
    const Failure failure = killer.failure.value_or(Failure{});
    print_field("mutant", fmt::format("fails \"{}\"", killer.test.name),
                Ink::good);
    if (killer.outcome == Outcome::crashed || killer.outcome == Outcome::hung) {
      print_field("", failure.message, Ink::dim);
    } else if (!failure.expected.empty()) {
      print_field("", "expected " + failure.expected, Ink::dim);
      print_field("", "seen     " + failure.seen, Ink::dim);
    } else {
      print_field("",
                  failure.checked.empty() ? failure.message : failure.checked,
                  Ink::dim);
    }
    fmt::print("\n  {}\n\n", ink(Ink::good, "Caught."));
    print_bug(mutant);
    print_field("so far", score());
    if (shown) {
      print_field("", "(this one was shown to you, and is not counted)",
                  Ink::dim);
    }
    print_field("next", "./course hunt " + room_.id, Ink::link);
    return 0;
  }

  int lives(const Mutant& mutant) {
    const std::string code = code_of(mutant);
    const std::string file = fingerprint_of(code + source_);
    keep([&](Hunted& hunted) {
      if (hunted.missed_with != file) hunted.misses[code]++;
      hunted.missed_with = file;
    });
    print_field("mutant", "passes them too", Ink::bad);
    fmt::print("\n  {}\n\n", ink(Ink::warn, "The mutant lives."));
    const std::map<int, std::string> titles = task_titles(room_);
    const auto title = titles.find(mutant.task);
    print_field("look at",
                fmt::format("task {}{}", mutant.task,
                            title == titles.end() ? "" : ": " + title->second));
    print_field("", page_of(course_, room_, mutant.task), Ink::link);
    if (tries(mutant) > 1) print_field("there", place_of(mutant, room_));
    if (tries(mutant) > 2) {
      print_field("or",
                  fmt::format("./course hunt {} --next leaves it for "
                              "later, --reveal tells its bug",
                              room_.id),
                  Ink::dim);
    }
    print_field("so far", score());
    return 1;
  }

  const Course& course_;
  const Room& room_;
  fs::path file_;
  std::vector<Mutant> mutants_;
  Hunted kept_;
  std::string source_;
  std::vector<std::string> examples_;  // names of tests that do not count
  std::size_t own_tests_ = 0;
  std::chrono::milliseconds limit_{10'000};
};

}  // namespace

fs::path hunt_file(const Course& course, const Room& room) {
  return course.root / (room.folder + "_hunt.cpp");
}

std::string hunt_template(const Room& room, std::string_view suite_source) {
  const std::vector<Case> cases = cases_of(suite_source);
  const std::size_t first = cases.empty() ? 1 : cases[0].line;
  const std::string before = lines_between(suite_source, 1, first - 1);
  const std::size_t code = before.find("#include");
  const std::string body =
      before.substr(std::min(code, before.size())) +
      (cases.empty() ? std::string()
                     : lines_between(suite_source, first, cases[0].last_line));
  return fmt::format(
      "// Your own tests of day {0}, for ./course hunt {0}. They hunt "
      "mutants:\n"
      "// copies of the reference with one mistake in each. A test catches "
      "one\n"
      "// when the reference passes it and the mutant does not.\n"
      "//\n"
      "// First the includes and helpers of the day's own tests,\n"
      "// tests/{1}_test.cpp, and one of them as an\n"
      "// example, which catches nothing. Yours stand below it, as many as "
      "you\n"
      "// like; ./course never changes this file.\n"
      "{2}\n{3}\n\n"
      "// TEST_CASE(\"one promise of the room, in a sentence\", \"[{0}]\") {{\n"
      "//   STORY(\"What is done, and then looked at.\");\n"
      "//   CHECK_SAME(seen, expected);\n"
      "// }}\n{4}",
      room.id, room.folder, body, kExampleEnds, closing_lines(body));
}

std::vector<Mutant> in_hunt_order(std::vector<Mutant> mutants) {
  std::ranges::sort(mutants, [](const Mutant& a, const Mutant& b) {
    return a.task != b.task ? a.task < b.task : code_of(a) < code_of(b);
  });
  return mutants;
}

std::string place_of(const Mutant& mutant, const Room& room) {
  const Edit& edit = mutant.edits.at(0);
  const std::string text = read_file(room.reference / edit.file);
  std::istringstream before(text.substr(0, text.find(edit.find)));
  std::string body;
  for (std::string line; std::getline(before, line);) {
    const std::size_t begins = line.find("// ANCHOR: task-");
    if (begins != std::string::npos) {
      const std::size_t name = begins + std::string_view("// ANCHOR: ").size();
      const std::size_t label = line.find(' ', name);
      body = label == std::string::npos ? "" : line.substr(label + 1);
    } else if (line.find("// ANCHOR_END: task-") != std::string::npos) {
      body.clear();
    }
  }
  return body.empty() ? edit.file : fmt::format("{}, in {}", edit.file, body);
}

int command_hunt(const Course& course, const HuntOptions& options) {
  const Room* room = choose_room(course, options.day, Progress::load(course));
  if (room == nullptr) return 2;
  std::vector<Mutant> mutants = in_hunt_order(mutants_of(*room));
  if (mutants.empty() || !room->has_suite()) {
    return bad_usage(fmt::format("Day {} has no mutants to hunt.", room->id));
  }
  if (options.number < 0 ||
      static_cast<std::size_t>(options.number) > mutants.size()) {
    return bad_usage(fmt::format("--mutant: day {} has mutants 1 to {}.",
                                 room->id, mutants.size()));
  }
  Hunt hunt(course, *room, std::move(mutants));
  if (options.list) return hunt.list();
  const auto chosen = hunt.choose(options);
  if (!chosen) return hunt.none_left();
  if (options.show) return hunt.show(*chosen);
  return hunt.run(*chosen, options.seconds);
}

}  // namespace lsm::course
