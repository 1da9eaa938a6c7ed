#include "mutants.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "builder.h"
#include "process.h"
#include "verdict.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

class Parser {
 public:
  Parser(std::string_view name, std::string_view path, std::string_view text)
      : text_(text) {
    mutant_.name = name;
    mutant_.path = path;
  }

  Mutant parse() {
    while (const auto line = next_line()) {
      if (trimmed(*line).empty()) continue;
      if (const auto bug = field(*line, "bug:")) {
        mutant_.bug = *bug;
      } else if (const auto task = field(*line, "task:")) {
        mutant_.task = number(*task);
      } else if (const auto file = field(*line, "file:")) {
        file_ = *file;
      } else if (trimmed(*line) == "--- find") {
        read_edit();
      } else {
        fail(line_, fmt::format("'{}' is none of bug:, task:, file:, --- find",
                                trimmed(*line)));
      }
    }
    if (mutant_.bug.empty()) fail(line_, "it has no bug:");
    if (mutant_.task == 0) fail(line_, "it has no task:");
    if (mutant_.edits.empty()) fail(line_, "it edits nothing");
    return std::move(mutant_);
  }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& what) const {
    throw MutantError(fmt::format("{}:{}: {}", mutant_.path, line, what));
  }

  // With its newline, which the last line of the file may lack.
  std::optional<std::string_view> next_line() {
    if (text_.empty()) return std::nullopt;
    const std::size_t end = std::min(text_.find('\n'), text_.size() - 1) + 1;
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end);
    line_++;
    return line;
  }

  static std::optional<std::string> field(std::string_view line,
                                          std::string_view name) {
    if (!line.starts_with(name)) return std::nullopt;
    return std::string(trimmed(line.substr(name.size())));
  }

  int number(std::string_view text) const {
    int value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < 1) {
      fail(line_, fmt::format("'{}' is no task number", text));
    }
    return value;
  }

  void read_edit() {
    Edit edit{.file = file_, .find = {}, .replace = {}, .line = line_};
    if (edit.file.empty()) fail(line_, "no file: says where to find this");
    edit.find = lines_until("--- replace");
    edit.replace = lines_until("--- end");
    if (trimmed(edit.find).empty()) fail(edit.line, "it finds nothing");
    if (edit.find == edit.replace) fail(edit.line, "it changes nothing");
    mutant_.edits.push_back(std::move(edit));
  }

  std::string lines_until(std::string_view stop) {
    const std::size_t begin = line_;
    std::string lines;
    while (const auto line = next_line()) {
      if (trimmed(*line) == stop) return lines;
      lines += *line;
    }
    fail(begin, fmt::format("no '{}' follows", stop));
  }

  std::string_view text_;
  std::size_t line_ = 0;
  std::string file_;
  Mutant mutant_;
};

// Where `lines` stands in `text` as whole lines.
std::vector<std::size_t> places_of(std::string_view lines,
                                   std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t at = text.find(lines); at != std::string_view::npos;
       at = text.find(lines, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') places.push_back(at);
  }
  return places;
}

enum class Fate { killed, survived, broken };

struct Ending {
  Fate fate = Fate::broken;
  std::string by;  // the killer, or what is broken
};

// A room under test: its reference, its mutants and what became of them.
struct Bench {
  const Room* room = nullptr;
  std::map<std::string, std::string> reference;
  std::vector<Mutant> mutants;
  std::vector<Ending> outcomes;
};

// Leaves every room's copy as the reference has it, whatever happens.
struct Restorer {
  const fs::path& build;
  const std::vector<Bench>& benches;
  ~Restorer() {
    for (const Bench& bench : benches) {
      try {
        write_room(mutant_folder(build, *bench.room), bench.reference);
      } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
      }
    }
  }
};

// The first failure of a suite, in words; nothing when it passes.
std::optional<std::string> first_failure(const fs::path& suite) {
  const Finished finished =
      run({suite.string(), "-r", "xml", "--abort"}, {}, kMutantLimit);
  if (finished.status == 0) return std::nullopt;
  const std::string open = open_case(finished.output);
  if (finished.timed_out) {
    return fmt::format("\"{}\" (it does not end: killed after {} s)", open,
                       kMutantLimit.count());
  }
  if (!open.empty()) return fmt::format("\"{}\" (a crash)", open);
  for (const TestResult& result : parse_report(finished.output)) {
    if (result.outcome == Outcome::passed ||
        result.outcome == Outcome::not_run) {
      continue;
    }
    const bool crash = result.outcome == Outcome::crashed;
    return fmt::format("\"{}\"{}", result.test.name, crash ? " (a crash)" : "");
  }
  return fmt::format("(status {}, no test named)", finished.status);
}

std::string first_error(const std::string& output, const Course& course) {
  const auto errors = compile_errors(output, course.root, "");
  if (errors.empty()) return last_lines(output, 5);
  return fmt::format("{}:{}: {}", errors[0].file, errors[0].line,
                     errors[0].message);
}

class Trial {
 public:
  Trial(const Course& course, fs::path build, std::vector<Bench> benches)
      : course_(course),
        build_(std::move(build)),
        benches_(std::move(benches)) {}

  // 0 when every mutant is killed.
  int run() {
    const Restorer restorer{build_, benches_};
    if (!reference_passes()) return 1;
    std::size_t rounds = 0;
    for (const Bench& bench : benches_) {
      rounds = std::max(rounds, bench.mutants.size());
    }
    for (std::size_t i = 0; i < rounds; i++) {
      if (isatty(STDERR_FILENO) != 0) {
        fmt::print(stderr, "\rround {} of {}", i + 1, rounds);
      }
      try_round(i);
    }
    if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
    return print();
  }

 private:
  fs::path suite(const Bench& bench) const {
    return build_ / "suites" / bench.room->suite_target("mutant");
  }

  bool reference_passes() {
    std::vector<std::string> targets;
    for (const Bench& bench : benches_) {
      write_room(mutant_folder(build_, *bench.room), bench.reference);
      targets.push_back(bench.room->suite_target("mutant"));
    }
    const Built built = build(build_, targets);
    if (!built.ok) {
      fmt::print("the reference does not build: {}\n",
                 first_error(built.output, course_));
      return false;
    }
    bool passes = true;
    for (const Bench& bench : benches_) {
      if (const auto failure = first_failure(suite(bench))) {
        fmt::print("{}: the reference itself fails {}\n", bench.room->id,
                   *failure);
        passes = false;
      }
    }
    return passes;
  }

  // The i-th mutant of every room: their suites depend on no other room's
  // mutant, so one build makes them all and keeps every core busy.
  void try_round(std::size_t i) {
    std::vector<Bench*> tried;
    std::vector<std::string> targets;
    for (Bench& bench : benches_) {
      if (i >= bench.mutants.size()) continue;
      bench.outcomes.emplace_back();
      try {
        write_room(mutant_folder(build_, *bench.room),
                   apply_mutant(bench.mutants[i], bench.reference));
        tried.push_back(&bench);
        targets.push_back(bench.room->suite_target("mutant"));
      } catch (const MutantError& error) {
        bench.outcomes.back().by = error.what();
      }
    }
    if (tried.empty()) return;
    if (!build(build_, targets).ok) {
      std::erase_if(tried, [&](Bench* bench) {
        const Built one = build(build_, {bench->room->suite_target("mutant")});
        if (!one.ok) {
          bench->outcomes.back().by =
              "does not compile: " + first_error(one.output, course_);
        }
        return !one.ok;
      });
    }
    std::vector<std::future<std::optional<std::string>>> failures;
    for (const Bench* bench : tried) {
      failures.push_back(
          std::async(std::launch::async, first_failure, suite(*bench)));
    }
    for (std::size_t at = 0; at < tried.size(); at++) {
      const auto failure = failures[at].get();
      tried[at]->outcomes.back() = {
          failure ? Fate::killed : Fate::survived,
          failure.value_or(tried[at]->mutants[i].bug)};
    }
  }

  int print() const {
    std::size_t killed = 0;
    std::size_t survived = 0;
    std::size_t broken = 0;
    std::size_t few = 0;
    for (const Bench& bench : benches_) {
      fmt::print("{} {}\n", bench.room->id, bench.room->name);
      for (std::size_t i = 0; i < bench.mutants.size(); i++) {
        const Ending& outcome = bench.outcomes[i];
        switch (outcome.fate) {
          case Fate::killed:
            killed++;
            break;
          case Fate::survived:
            survived++;
            break;
          case Fate::broken:
            broken++;
            break;
        }
        fmt::print("  {:<34} {} {}\n", bench.mutants[i].name,
                   outcome.fate == Fate::killed     ? "killed by"
                   : outcome.fate == Fate::survived ? "SURVIVES:"
                                                    : "BROKEN:",
                   outcome.by);
      }
      if (bench.mutants.size() < kFewestMutants) {
        few++;
        fmt::print("  TOO FEW: {} of at least {}\n", bench.mutants.size(),
                   kFewestMutants);
      }
    }
    fmt::print("{} mutants: {} killed, {} survived, {} broken\n",
               killed + survived + broken, killed, survived, broken);
    return survived + broken + few == 0 ? 0 : 1;
  }

  const Course& course_;
  fs::path build_;
  std::vector<Bench> benches_;
};

}  // namespace

fs::path mutant_folder(const fs::path& build, const Room& room) {
  return build / "mutant" / room.id;
}

void write_room(const fs::path& folder,
                const std::map<std::string, std::string>& files) {
  for (const auto& [name, content] : read_sources(folder)) {
    if (!files.contains(name)) fs::remove(folder / name);
  }
  for (const auto& [name, content] : files) {
    write_if_changed(folder / name, content);
  }
}

Mutant parse_mutant(std::string_view name, std::string_view path,
                    std::string_view text) {
  return Parser(name, path, text).parse();
}

std::vector<Mutant> mutants_of(const Room& room) {
  std::vector<Mutant> mutants;
  if (!fs::is_directory(room.mutants)) return mutants;
  for (const auto& entry : fs::directory_iterator(room.mutants)) {
    if (entry.path().extension() != ".mutant") continue;
    const std::string file = entry.path().filename().string();
    mutants.push_back(
        parse_mutant(entry.path().stem().string(),
                     fmt::format("tests/mutants/{}/{}", room.folder, file),
                     read_file(entry.path())));
  }
  std::ranges::sort(mutants, {}, &Mutant::name);
  return mutants;
}

std::map<std::string, std::string> apply_mutant(
    const Mutant& mutant, std::map<std::string, std::string> files) {
  const std::map<std::string, std::string> reference = files;
  for (const Edit& edit : mutant.edits) {
    const auto fail = [&](const std::string& what) {
      throw MutantError(fmt::format("{}:{}: {}", mutant.path, edit.line, what));
    };
    if (!files.contains(edit.file)) {
      fail(fmt::format("the room has no file '{}'", edit.file));
    }
    const std::size_t found =
        places_of(edit.find, reference.at(edit.file)).size();
    if (found != 1) {
      fail(fmt::format("these lines stand {} times in {}, not once", found,
                       edit.file));
    }
    std::string& text = files[edit.file];
    const auto places = places_of(edit.find, text);
    if (places.size() != 1) {
      fail("an earlier edit of this mutant has changed these lines");
    }
    text.replace(places[0], edit.find.size(), edit.replace);
  }
  return files;
}

int command_mutants(const Course& course, std::span<const std::string> args) {
  fs::path build = course.build;
  std::vector<const Room*> chosen;
  for (std::size_t i = 0; i < args.size(); i++) {
    const Room* room = course.find(args[i]);
    if (args[i] == "--build" && i + 1 < args.size()) {
      build = fs::absolute(args[++i]);
    } else if (room != nullptr) {
      chosen.push_back(room);
    } else {
      fmt::print(stderr, "mutants: there is no room '{}'\n", args[i]);
      return 2;
    }
  }
  if (chosen.empty()) {
    for (const Room& room : course.rooms)
      chosen.push_back(&room);
  }
  std::vector<Bench> benches;
  try {
    for (const Room* room : chosen) {
      std::vector<Mutant> mutants = mutants_of(*room);
      if (mutants.empty() || !room->has_suite()) continue;
      benches.push_back({.room = room,
                         .reference = read_sources(room->reference),
                         .mutants = std::move(mutants),
                         .outcomes = {}});
    }
  } catch (const MutantError& error) {
    fmt::print("{}\n", error.what());
    return 1;
  }
  if (benches.empty()) {
    fmt::print("no mutants\n");
    return 1;
  }
  if (!fs::exists(build / "CMakeCache.txt")) {
    const Built configured = configure(course, build, {});
    if (!configured.ok) {
      fmt::print("{}\n", last_lines(configured.output, 20));
      return 1;
    }
  }
  return Trial(course, build, std::move(benches)).run();
}

}  // namespace lsm::course
