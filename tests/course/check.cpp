#include "check.h"

#include <fmt/core.h>
#ifdef __linux__
#include <sys/personality.h>
#endif

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "guide.h"
#include "syllabus.h"
#include "terminal.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kTitleWidth = 34;
constexpr std::size_t kMostErrors = 3;
constexpr int kSanitizedSlowdown = 12;

std::string counted(const Tally& tally, std::string_view what) {
  return fmt::format("{} of {} {}", tally.passed, tally.total, what);
}

Sign sign_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return Sign::passed;
    case Outcome::failed:
      return Sign::failed;
    case Outcome::not_implemented:
      return Sign::waiting;
    case Outcome::crashed:
      return Sign::crashed;
    case Outcome::hung:
      return Sign::hung;
    case Outcome::not_run:
      return Sign::skipped;
  }
  return Sign::skipped;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

// "1.1 memtable" on the left, `right` on the right edge.
void print_heading(const Room& room, std::string_view right) {
  const std::string left = room.id + " " + title_of_name(room.name);
  const std::size_t gap = terminal().width - 2 - left.size() - right.size();
  fmt::print("\n{}{}{}\n\n", ink(Ink::bold, left), std::string(gap, ' '),
             ink(Ink::dim, right));
}

// What each sign means, those that were shown.
void print_legend(const Verdict& verdict) {
  std::string words;
  for (const auto& [outcome, meaning] :
       {std::pair{Outcome::passed, "passes"},
        std::pair{Outcome::failed, "fails"},
        std::pair{Outcome::not_implemented, "not written yet"},
        std::pair{Outcome::crashed, "crashes"},
        std::pair{Outcome::hung, "does not end"},
        std::pair{Outcome::not_run, "was not run"}}) {
    if (std::ranges::none_of(verdict.tests, [&](const TestResult& result) {
          return result.outcome == outcome;
        })) {
      continue;
    }
    words += (words.empty() ? "" : "   ") + sign(sign_of(outcome)) + " " +
             ink(Ink::dim, meaning);
  }
  fmt::print("\n  {}   {}\n", ink(Ink::dim, "a sign is a test:"), words);
}

// One line of signs for each task, core first.
void print_tasks(const Room& room, const Verdict& verdict) {
  const std::map<int, std::string> titles = task_titles(room);
  for (const bool gold : {false, true}) {
    std::map<int, std::vector<const TestResult*>> by_task;
    for (const TestResult& result : verdict.tests) {
      if (result.test.gold == gold)
        by_task[result.test.task].push_back(&result);
    }
    bool first = true;
    for (const auto& [task, results] : by_task) {
      std::string signs;
      for (const TestResult* result : results) {
        signs += sign(sign_of(result->outcome));
      }
      const auto found = titles.find(task);
      std::string title = found == titles.end() ? "" : found->second;
      if (columns(title) > kTitleWidth) {
        title = title.substr(0, kTitleWidth - 3) + "...";
      }
      fmt::print("  {}{} {} {}\n",
                 ink(gold ? Ink::warn : Ink::bold,
                     padded(first ? (gold ? "gold" : "core") : "", 6)),
                 task == 0 ? std::string(" ") : std::to_string(task),
                 padded(spelled(title), kTitleWidth), signs);
      first = false;
    }
  }
  print_legend(verdict);
}

// The task to work on: the test's own, or the one it ran into that is still
// to be written.
int task_of(const Room& room, const TestResult& result) {
  if (result.outcome != Outcome::not_implemented || !result.failure) {
    return result.test.task;
  }
  const std::string words =
      result.failure->message + " " + result.failure->seen;
  const std::string before = "not implemented yet: " + room.id + " task ";
  const std::size_t at = words.find(before);
  return at == std::string::npos
             ? result.test.task
             : std::atoi(words.c_str() + at + before.size());
}

// The failing line of the test; when it failed inside something it called, the
// test and then that line.
void print_where(const Course& course, const Room& room,
                 const TestResult& result) {
  const Failure failure = result.failure.value_or(Failure{});
  const std::string suite = shown_path(room.suite.string(), course.root);
  const std::string file =
      failure.file.empty() ? suite : shown_path(failure.file, course.root);
  const std::size_t line = failure.line > 0 ? failure.line : result.test.line;
  const bool in_test =
      file == suite && line >= result.test.line &&
      (result.test.last_line == 0 || line <= result.test.last_line);
  if (in_test) {
    print_field("where", fmt::format("{}:{}", file, line));
    return;
  }
  print_field("where", fmt::format("{}:{}", suite, result.test.line));
  print_field("", fmt::format("at {}:{}", file, line), Ink::dim);
}

std::string_view sanitizer_name(std::string_view option) {
  return option == "tsan" ? "ThreadSanitizer" : "AddressSanitizer and UBSan";
}

std::string task_option(int task) {
  return task == 0 ? std::string{} : fmt::format(" --task {}", task);
}

void print_next(const Room& room, const TestResult& result) {
  const std::string task = task_option(task_of(room, result));
  if (result.outcome == Outcome::crashed) {
    print_field("next",
                fmt::format("./course check {}{} --asan", room.id, task),
                Ink::link);
    print_field("", "finds the line that went wrong (its first build is slow)",
                Ink::dim);
  } else {
    print_field("next", fmt::format("./course check {}{}", room.id, task),
                Ink::link);
  }
  print_field("", fmt::format("./course hint {}{}", room.id, task), Ink::link);
}

void print_not_compiled(const Room& room, const Checked& checked) {
  print_errors(checked.errors, checked.built);
  if (!checked.errors.empty() && !checked.errors.front().mine) {
    print_field("note",
                "The error is outside your room: the suite uses what its "
                "header declares in public. Was a public name or a parameter "
                "changed?");
    print_field("", fmt::format("./course diff {} shows what differs", room.id),
                Ink::dim);
  }
  print_field("next",
              fmt::format("fix the first, save, ./course check {}", room.id),
              Ink::link);
}

void prepare_for_sanitizer() {
  // By default ThreadSanitizer prints a race and lets the test pass.
  setenv("TSAN_OPTIONS", "halt_on_error=1", 0);
#ifdef __linux__
  // GCC 12's does not start where a kernel spreads addresses over more bits
  // than it knows of. What we start inherits this; where it is forbidden, so
  // be it: the suite then says why it could not start.
  personality(ADDR_NO_RANDOMIZE);
#endif
}

}  // namespace

const char* const kJsonHelp =
    "The verdict of --json, one object:\n"
    "  schema        1\n"
    "  room, name    \"1.1\", \"memtable\"\n"
    "  state         \"compile_error\", \"red\", \"green\" (every core test\n"
    "                passes) or \"gold\" (every test passes)\n"
    "  compiled      bool\n"
    "  filtered      bool: --task or --test left tests out; state and counts\n"
    "                are then of those that ran\n"
    "  sanitizer     \"asan\", \"tsan\", or null for a plain run; only a "
    "plain\n"
    "                run that is not filtered counts as progress\n"
    "  core, gold    {\"passed\": n, \"total\": n}\n"
    "  seconds       {\"build\": s, \"run\": s}\n"
    "  tests         [{name, task, gold, outcome, seconds, failure}]\n"
    "                outcome: passed, failed, not_implemented, crashed, hung,\n"
    "                not_run; failure is null or {scenario, invariant, seed,\n"
    "                checked, expected, seen, bytes, message, notes, file,\n"
    "                line}\n"
    "  first_failure the name of the test to look at first, or null\n"
    "  page          where the book explains it\n"
    "  errors        [{file, line, message}] when it did not compile\n"
    "Exit status: 0 every core test passes, 1 not yet, 2 a wrong command line.";

const Room* find_room(const Course& course, const std::string& typed) {
  const std::string id(parse_day(typed));
  if (id.empty()) {
    std::string message = fmt::format("There is no day \"{}\".", typed);
    const std::string_view near = nearest_day(typed);
    if (!near.empty()) message += fmt::format(" Did you mean {}?", near);
    message +=
        "\nDays are 1.1 to 3.7 (week.day), or a name: ./course lists them.";
    bad_usage(message);
    return nullptr;
  }
  const Room* room = course.find(id);
  if (room == nullptr) {
    std::string there;
    for (const Room& other : course.rooms) {
      there += (there.empty() ? "" : ", ") + other.id;
    }
    bad_usage(
        fmt::format("Day {} is still to come. There are: {}.", id, there));
  }
  return room;
}

const Room* choose_room(const Course& course, const std::string& typed,
                        const Progress& progress) {
  if (typed.empty()) {
    const Room* next = progress.next_day(course);
    if (next == nullptr) {
      for (const Room& room : course.rooms) {
        if (is_open(room)) next = &room;  // all done: the last one
      }
    }
    if (next == nullptr) bad_usage("There is no day to work on here yet.");
    return next;
  }
  const Room* room = find_room(course, typed);
  if (room == nullptr || is_open(*room)) return room;
  bad_usage(fmt::format(
      "{} {} is a reference only, so far: {} is still to come. You can read it "
      "in solutions/{}.",
      room->id, title_of_name(room->name),
      room->has_suite() ? "its starter" : "its suite", room->folder));
  return nullptr;
}

void print_errors(const std::vector<CompileError>& errors, const Built& built) {
  fmt::print("  {}\n\n", ink(Ink::bad, "It does not compile yet."));
  std::size_t shown = 0;
  for (const CompileError& error : errors) {
    if (shown == kMostErrors) break;
    if (shown > 0 && !error.mine && errors.front().mine) break;
    shown++;
    fmt::print("  {}\n",
               ink(Ink::bold, error.line == 0 ? error.file
                                              : fmt::format("{}:{}", error.file,
                                                            error.line)));
    print_field("", error.message, Ink::bad);
    for (const std::string& line : error.source) {
      fmt::print("  {}\n", line);
    }
    fmt::print("\n");
  }
  if (shown == 0) {
    fmt::print("{}\n\n", last_lines(built.output, 15));
  } else if (errors.size() > shown) {
    fmt::print("  {}\n\n",
               ink(Ink::dim, fmt::format("(and {} more; they often follow "
                                         "from the first)",
                                         errors.size() - shown)));
  }
}

void print_failure(const Course& course, const Room& room,
                   const TestResult& result) {
  const Failure failure = result.failure.value_or(Failure{});
  const bool unwritten = result.outcome == Outcome::not_implemented;
  fmt::print("\n  {} {}\n", sign(sign_of(result.outcome)),
             ink(Ink::bold, spelled(result.test.name)));
  if (result.test.task > 0) {
    fmt::print("    {}\n",
               ink(Ink::dim, fmt::format("{} of task {}",
                                         result.test.gold ? "gold" : "core",
                                         result.test.task)));
  }
  fmt::print("\n");
  if (!failure.scenario.empty()) print_field("scenario", failure.scenario);
  if (!failure.seed.empty()) print_field("seed", failure.seed);
  if (!failure.checked.empty()) print_field("checked", failure.checked);
  if (!failure.expected.empty()) {
    print_field("expected", failure.expected, Ink::good);
  }
  if (!failure.seen.empty()) print_field("seen", failure.seen, Ink::bad);
  if (!failure.bytes.empty()) {
    fmt::print("\n");
    for (std::size_t at = 0; at < failure.bytes.size();) {
      const std::size_t end =
          std::min(failure.bytes.find('\n', at), failure.bytes.size());
      fmt::print("    {}\n", failure.bytes.substr(at, end - at));
      at = end + 1;
    }
    fmt::print("\n");
  }
  // What CHECK_SAME and its like fail with adds nothing to the two fields.
  if (!failure.message.empty() &&
      (failure.expected.empty() || result.outcome == Outcome::crashed ||
       result.outcome == Outcome::hung)) {
    print_field(
        failure.expected.empty() && failure.seen.empty() ? "seen" : "failed",
        failure.message, Ink::bad);
  }
  for (const std::string& note : failure.notes)
    print_field("note", note);
  if (result.failures > 1) {
    print_field("",
                fmt::format("(and {} more in this test)", result.failures - 1),
                Ink::dim);
  }
  if (!failure.invariant.empty()) {
    const auto found = find_invariant(course, room, failure.invariant);
    print_field(unwritten ? "promise" : "breaks",
                found ? found->text : failure.invariant, Ink::warn);
    if (found) {
      print_field("", fmt::format("{}:{}", found->file, found->line), Ink::dim);
    }
  }
  print_where(course, room, result);
  print_field("page", page_of(course, room, task_of(room, result)), Ink::link);
}

Checked check_room(const Course& course, const Room& room,
                   const CheckOptions& options, Progress& progress) {
  Checked result;
  result.sanitizer = options.sanitizer;
  Course where = course;
  if (!options.sanitizer.empty()) {
    prepare_for_sanitizer();
    where.build = course.root / "build" / options.sanitizer;
    show_status("  configuring build/" + options.sanitizer + " ...");
    result.built = configure(
        course, where.build,
        {"CMAKE_BUILD_TYPE=Debug", options.sanitizer == "tsan"
                                       ? "LSM_SANITIZE=thread"
                                       : "LSM_SANITIZE=address,undefined"});
    if (!result.built.ok) return result;
  }
  if (!options.json && !fs::exists(where.suite_binary(room, "mine"))) {
    fmt::print(
        "\n  {}\n",
        ink(Ink::dim,
            fmt::format("Building what the tests of {} need (once: {}) ...",
                        room.id,
                        options.sanitizer.empty() ? "a minute or so"
                                                  : "some minutes")));
    std::fflush(stdout);  // before the wait, also in a pipe
  }
  show_status("  building " + room.folder + " ...");
  result.built = build(
      where.build, {room.suite_target("mine")}, [&](std::string_view step) {
        show_status(fmt::format("  building {} {}", room.folder, step));
      });
  show_status({});
  if (!result.built.ok) {
    result.errors =
        compile_errors(result.built.output, course.root, room.folder);
    if (options.sanitizer.empty()) {
      progress.remember(course, room, nullptr);
      progress.save();
    }
    return result;
  }
  result.compiled = true;

  SuiteRun suite;
  suite.binary = where.suite_binary(room, "mine");
  suite.cases = cases_of(read_file(room.suite));
  suite.limit = std::chrono::seconds(
      options.seconds * (options.sanitizer.empty() ? 1 : kSanitizedSlowdown));
  suite.status = !options.json;
  if (options.task != 0 || !options.test.empty()) {
    result.filtered = true;
    suite.all = false;
    for (const Case& test : suite.cases)
      result.unmatched.push_back(test.name);
    std::erase_if(suite.cases, [&](const Case& test) {
      return (options.task != 0 && test.task != options.task) ||
             lower(test.name).find(lower(options.test)) == std::string::npos;
    });
    if (suite.cases.empty()) return result;
    result.unmatched.clear();
  }
  result.verdict = run_suite(suite);
  for (const auto& [name, source] : read_sources(room.mine)) {
    hold_back(result.verdict, room.id, holes_of(room.id, source),
              (room.mine / name).string());
  }
  if (!result.filtered && options.sanitizer.empty()) {
    progress.remember(course, room, &result.verdict);
    progress.save();
  }
  return result;
}

int exit_status(const Checked& checked) {
  if (!checked.compiled) return 1;
  const Tally core = checked.verdict.core();
  if (core.total == 0)
    return checked.verdict.first_failure() == nullptr ? 0 : 1;
  return core.all() ? 0 : 1;
}

void print_checked(const Course& course, const Room& room,
                   const Checked& checked, const Progress& progress) {
  print_heading(
      room, checked.compiled
                ? fmt::format("built in {:.1f} s, ran in {:.1f} s",
                              checked.built.seconds, checked.verdict.seconds)
                : fmt::format("{:.1f} s", checked.built.seconds));
  if (!checked.compiled) {
    print_not_compiled(room, checked);
    return;
  }
  const Verdict& verdict = checked.verdict;
  print_tasks(room, verdict);
  const TestResult* failing = verdict.first_failure();
  if (failing != nullptr) {
    print_failure(course, room, *failing);
    fmt::print("\n");
    print_next(room, *failing);
  }
  const Tally core = verdict.core();
  const Tally gold = verdict.gold();
  std::string line = counted(core, "core");
  if (gold.total > 0) line += ", " + counted(gold, "gold");
  line += fmt::format(", {:.1f} s", checked.built.seconds + verdict.seconds);
  fmt::print("\n  {}\n", ink(failing == nullptr ? Ink::good : Ink::bold, line));
  if (checked.filtered || !checked.sanitizer.empty()) {
    if (failing == nullptr) {
      print_line(fmt::format(
          "  All of these pass{}. The {}: {}",
          checked.sanitizer.empty()
              ? ""
              : fmt::format(" under {}", sanitizer_name(checked.sanitizer)),
          checked.filtered ? "whole day" : "day's verdict",
          ink(Ink::link, "./course check " + room.id)));
    }
    return;
  }
  if (!verdict.green()) return;
  fmt::print("\n  {} ", ink(Ink::good, verdict.whole() ? "Gold." : "Green."));
  if (!verdict.whole()) {
    print_line("The core is done; what is left makes it gold.");
  } else {
    print_line(fmt::format("Every test of {} passes.", room.id));
  }
  print_field("see it", "./course mine", Ink::link);
  const Room* next = progress.next_day(course);
  if (next != nullptr && next->id != room.id) {
    print_field("next day",
                fmt::format("{} {}: {}", next->id, title_of_name(next->name),
                            page_of(course, *next, 0)),
                Ink::link);
  }
}

std::string json_of(const Course& course, const Room& room,
                    const Checked& checked) {
  const Verdict& verdict = checked.verdict;
  const auto tally = [](const Tally& t) {
    return Json{{"passed", t.passed}, {"total", t.total}};
  };
  Json tests = Json::array();
  for (const TestResult& result : verdict.tests) {
    Json failure = nullptr;
    if (result.failure && result.outcome != Outcome::passed) {
      const Failure& f = *result.failure;
      failure = {
          {"scenario", f.scenario}, {"invariant", f.invariant},
          {"seed", f.seed},         {"checked", f.checked},
          {"expected", f.expected}, {"seen", f.seen},
          {"bytes", f.bytes},       {"message", f.message},
          {"notes", f.notes},       {"file", shown_path(f.file, course.root)},
          {"line", f.line}};
    }
    tests.push_back({{"name", result.test.name},
                     {"task", result.test.task},
                     {"gold", result.test.gold},
                     {"outcome", name_of(result.outcome)},
                     {"seconds", result.seconds},
                     {"failure", failure}});
  }
  Json errors = Json::array();
  for (const CompileError& error : checked.errors) {
    errors.push_back({{"file", error.file},
                      {"line", error.line},
                      {"message", error.message}});
  }
  const TestResult* first = verdict.first_failure();
  const Json json = {
      {"schema", 1},
      {"room", room.id},
      {"name", room.name},
      {"state", !checked.compiled           ? "compile_error"
                : exit_status(checked) != 0 ? "red"
                : first == nullptr          ? "gold"
                                            : "green"},
      {"compiled", checked.compiled},
      {"filtered", checked.filtered},
      {"sanitizer",
       checked.sanitizer.empty() ? Json(nullptr) : Json(checked.sanitizer)},
      {"core", tally(verdict.core())},
      {"gold", tally(verdict.gold())},
      {"seconds", {{"build", checked.built.seconds}, {"run", verdict.seconds}}},
      {"tests", tests},
      {"first_failure",
       first == nullptr ? Json(nullptr) : Json(first->test.name)},
      {"page", page_of(course, room, first == nullptr ? 0 : first->test.task)},
      {"errors", errors}};
  // A test's message may hold any bytes; JSON holds UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

int command_check(const Course& course, const CheckOptions& options) {
  Progress progress = Progress::load(course);
  const Room* room = choose_room(course, options.day, progress);
  if (room == nullptr) return 2;
  progress.work_on(*room);
  const Checked checked = check_room(course, *room, options, progress);
  if (checked.compiled && !checked.unmatched.empty()) {
    std::string message = options.test.empty()
                              ? fmt::format("{} has no tests for task {}.",
                                            room->id, options.task)
                              : fmt::format("{} has no test like \"{}\".",
                                            room->id, options.test);
    message += " Its tests are:";
    for (const std::string& name : checked.unmatched)
      message += "\n  " + name;
    return bad_usage(message);
  }
  if (options.json) {
    fmt::print("{}\n", json_of(course, *room, checked));
  } else {
    print_checked(course, *room, checked, progress);
  }
  return exit_status(checked);
}

int command_watch(const Course& course, const CheckOptions& options) {
  constexpr auto kPeriod = std::chrono::milliseconds(200);
  Progress progress = Progress::load(course);
  const Room* chosen = choose_room(course, options.day, progress);
  if (chosen == nullptr) return 2;
  const Room room = *chosen;
  progress.work_on(room);
  const auto stamp = [&] {
    std::map<std::string, std::pair<fs::file_time_type, std::uintmax_t>> result;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(room.mine, ignored)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp") continue;
      result[entry.path().string()] = {entry.last_write_time(ignored),
                                       entry.file_size(ignored)};
    }
    result[room.suite.string()] = {fs::last_write_time(room.suite, ignored), 0};
    return result;
  };
  while (true) {
    const auto before = stamp();
    const Checked checked = check_room(course, room, options, progress);
    if (terminal().live) fmt::print("\033[2J\033[H");
    print_checked(course, room, checked, progress);
    fmt::print("\n  {}\n",
               ink(Ink::dim, "watching " + room.folder + " (Ctrl-C ends it)"));
    std::fflush(stdout);
    while (stamp() == before)
      std::this_thread::sleep_for(kPeriod);
  }
}

}  // namespace lsm::course
