#include "mutants.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
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
      } else if (const auto unseen = field(*line, "unseen:")) {
        if (unseen->empty()) fail(line_, "unseen: does not say why");
        mutant_.unseen = *unseen;
      } else if (const auto task = field(*line, "task:")) {
        mutant_.task = number(*task);
      } else if (const auto file = field(*line, "file:")) {
        file_ = *file;
      } else if (trimmed(*line) == "--- find") {
        read_edit();
      } else {
        fail(line_, fmt::format("'{}' is none of bug:, unseen:, task:, file:, "
                                "--- find",
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

enum class Fate { killed, survived, unseen, broken };

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

// Who judges a room's copy: its suite, or the proving ground with the copy in
// the engine.
enum class Judge { suite, proof };

// The rooms that CMake makes a proving program of.
constexpr std::array<std::string_view, 2> kProven = {"3.5", "3.6"};

std::string target_of(Judge judge, const Room& room) {
  if (judge == Judge::suite) return room.suite_target("mutant");
  std::string name = room.id;
  std::ranges::replace(name, '.', '_');
  return "prove_" + name + "_mutant";
}

std::optional<std::string> judge_by(Judge judge, const fs::path& program) {
  return judge == Judge::suite ? first_failure(program)
                               : first_wrong(program, kMutantLimit);
}

class Trial {
 public:
  Trial(const Course& course, fs::path build, Judge judge,
        std::vector<Bench> benches)
      : course_(course),
        build_(std::move(build)),
        judge_(judge),
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
  std::string target(const Bench& bench) const {
    return target_of(judge_, *bench.room);
  }
  fs::path program(const Bench& bench) const {
    return build_ / (judge_ == Judge::suite ? "suites" : "proofs") /
           target(bench);
  }
  Ending ending_of(const Mutant& mutant,
                   const std::optional<std::string>& failure) const {
    if (judge_ == Judge::suite || mutant.unseen.empty()) {
      return {failure ? Fate::killed : Fate::survived,
              failure.value_or(mutant.bug)};
    }
    if (!failure) return {Fate::unseen, mutant.unseen};
    return {Fate::broken, "it says unseen, and is seen: " + *failure};
  }

  bool reference_passes() {
    std::vector<std::string> targets;
    for (const Bench& bench : benches_) {
      write_room(mutant_folder(build_, *bench.room), bench.reference);
      targets.push_back(target(bench));
    }
    const Built built = build(build_, targets);
    if (!built.ok) {
      fmt::print("the reference does not build: {}\n",
                 first_error(built.output, course_));
      return false;
    }
    bool passes = true;
    for (const Bench& bench : benches_) {
      if (const auto failure = judge_by(judge_, program(bench))) {
        fmt::print("{}: the reference itself fails {}\n", bench.room->id,
                   *failure);
        passes = false;
      }
    }
    return passes;
  }

  // The i-th mutant of every room: their judges depend on no other room's
  // mutant, so one build makes them all and keeps every core busy.
  void try_round(std::size_t i) {
    std::vector<Bench*> tried;
    std::vector<std::string> targets;
    for (Bench& bench : benches_) {
      if (i >= bench.mutants.size()) continue;
      bench.outcomes.emplace_back();
      if (judge_ == Judge::proof && !can_be_proven(bench.mutants[i])) {
        bench.outcomes.back().by =
            "it edits a header, and the engine is compiled against the "
            "reference's";
        continue;
      }
      try {
        write_room(mutant_folder(build_, *bench.room),
                   apply_mutant(bench.mutants[i], bench.reference));
        tried.push_back(&bench);
        targets.push_back(target(bench));
      } catch (const MutantError& error) {
        bench.outcomes.back().by = error.what();
      }
    }
    if (tried.empty()) return;
    if (!build(build_, targets).ok) {
      std::erase_if(tried, [&](Bench* bench) {
        const Built one = build(build_, {target(*bench)});
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
          std::async(std::launch::async, judge_by, judge_, program(*bench)));
    }
    for (std::size_t at = 0; at < tried.size(); at++) {
      tried[at]->outcomes.back() =
          ending_of(tried[at]->mutants[i], failures[at].get());
    }
  }

  int print() const {
    std::map<Fate, std::size_t> sums;
    bool counts = true;  // neither too few mutants nor too many unseen
    for (const Bench& bench : benches_) {
      fmt::print("{} {}\n", bench.room->id, bench.room->name);
      std::size_t unseen = 0;
      for (std::size_t i = 0; i < bench.mutants.size(); i++) {
        const Ending& outcome = bench.outcomes[i];
        ++sums[outcome.fate];
        unseen += outcome.fate == Fate::unseen ? 1 : 0;
        fmt::print("  {:<34} {} {}\n", bench.mutants[i].name,
                   word_of(outcome.fate), outcome.by);
      }
      if (bench.mutants.size() < kFewestMutants) {
        counts = false;
        fmt::print("  TOO FEW: {} of at least {}\n", bench.mutants.size(),
                   kFewestMutants);
      }
      if (unseen > kMostUnseen) {
        counts = false;
        fmt::print("  TOO MANY UNSEEN: {} of at most {}\n", unseen,
                   kMostUnseen);
      }
    }
    fmt::print("{} mutants: {} killed, {} survived, {} broken{}\n",
               sums[Fate::killed] + sums[Fate::survived] + sums[Fate::unseen] +
                   sums[Fate::broken],
               sums[Fate::killed], sums[Fate::survived], sums[Fate::broken],
               judge_ == Judge::proof
                   ? fmt::format(", {} unseen", sums[Fate::unseen])
                   : std::string());
    return counts && sums[Fate::survived] + sums[Fate::broken] == 0 ? 0 : 1;
  }
  std::string_view word_of(Fate fate) const {
    switch (fate) {
      case Fate::killed:
        return judge_ == Judge::suite ? "killed by" : "caught by";
      case Fate::survived:
        return "SURVIVES:";
      case Fate::unseen:
        return "unseen:";
      case Fate::broken:
        break;
    }
    return "BROKEN:";
  }

  const Course& course_;
  fs::path build_;
  Judge judge_;
  std::vector<Bench> benches_;
};

}  // namespace

bool can_be_proven(const Mutant& mutant) {
  return std::ranges::none_of(
      mutant.edits, [](const Edit& edit) { return edit.file.ends_with(".h"); });
}

std::optional<std::string> first_wrong(const fs::path& program,
                                       std::chrono::seconds limit) {
  const Finished finished =
      run({program.string(), "--trial", "--json"}, {}, limit);
  if (finished.status == 0) return std::nullopt;
  if (finished.timed_out) {
    return fmt::format("(it does not end: killed after {} s)", limit.count());
  }
  const auto report = nlohmann::json::parse(finished.output, nullptr, false);
  if (!report.is_object()) {
    return finished.status > 128
               ? fmt::format("a crash (signal {})", finished.status - 128)
               : fmt::format("status {}: {}", finished.status,
                             last_lines(finished.errors, 1));
  }
  const std::string where = fmt::format(
      "{}, {}", report.value("isolation", "?"), report.value("workload", "?"));
  if (!report.contains("first") || !report["first"].is_object()) {
    return fmt::format("an error, {}: {}", where,
                       report.value("broken_off", ""));
  }
  const auto& first = report["first"];
  return fmt::format("{}, {}, seed {}", first.value("anomaly", "?"), where,
                     first.value("seed", 0));
}

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
  Judge judge = Judge::suite;
  std::vector<const Room*> chosen;
  for (std::size_t i = 0; i < args.size(); i++) {
    const Room* room = course.find(args[i]);
    if (args[i] == "--build" && i + 1 < args.size()) {
      build = fs::absolute(args[++i]);
    } else if (args[i] == "--prove") {
      judge = Judge::proof;
    } else if (room != nullptr) {
      chosen.push_back(room);
    } else {
      fmt::print(stderr, "mutants: there is no room '{}'\n", args[i]);
      return 2;
    }
  }
  const auto proven = [](const Room& room) {
    return std::ranges::find(kProven, room.id) != kProven.end();
  };
  if (chosen.empty()) {
    for (const Room& room : course.rooms) {
      if (judge == Judge::suite || proven(room)) chosen.push_back(&room);
    }
  }
  for (const Room* room : chosen) {
    if (judge == Judge::suite || proven(*room)) continue;
    fmt::print(stderr, "mutants: --prove is for {}, not for {}\n",
               fmt::join(kProven, " and "), room->id);
    return 2;
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
  return Trial(course, build, judge, std::move(benches)).run();
}

}  // namespace lsm::course
