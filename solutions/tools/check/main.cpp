// lsm-check: many transactions at the same time, and the proof that they
// might have run one after the other; or the smallest reason why not
// (prove.h).
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/sim_file_system.h"
#include "tools/check/hermitage.h"
#include "tools/check/prove.h"
#include "tools/check/story.h"

namespace lsm::check {
namespace {

const std::map<std::string, Isolation> kLevels = {
    {"serializable", Isolation::serializable},
    {"snapshot", Isolation::snapshot}};
const std::map<std::string, Workload> kWorkloads = {
    {"list-append", Workload::append}, {"register", Workload::registers}};
const std::map<std::string, CompactionStyle> kPolicies = {
    {"leveled", CompactionStyle::leveled},
    {"tiered", CompactionStyle::tiered},
    {"simple", CompactionStyle::simple}};

constexpr const char* kFooter = R"(
Each history runs on a new store on a disk in memory; from what the committed
transactions saw follows who came before whom. Wrong is a cycle; under snapshot
isolation only one without two rw arrows side by side. With --turns wrong is
also a refusal without a reason, and a record of a commit that nobody can ask
about: "needless", "reason", "hoard". The exit status is 1 when something is
wrong, and 2 for a bad command line.

A history in a file is written like this (x is 3, then 4; a scan; nothing):
  1:begin 1:get(x)=3 2:begin 2:put(x,4) 2:commit 1:scan[a,c)={b=7} 1:get(z)=-
  1:commit      (or 1:rollback, or 1:refused)
A scan that was opened after 2 steps, and moved later, is 1:scan@2[a,c)={b=7}

JSON (--json): {"isolation", "workload", "policy", "seed", "histories",
  "transactions", "committed", "refused", "rolled_back", "overlaps", "arrows",
  "flushes", "compactions", "bad", "anomalies": {name: count}, "allowed",
  "with_allowed", "broken_off", "first": null or {"seed", "anomaly", "story",
  "command"}})";

template <typename Value>
std::string name_in(const std::map<std::string, Value>& names, Value value) {
  return std::ranges::find(names, value,
                           [](const auto& pair) { return pair.second; })
      ->first;
}

struct Arguments {
  Settings settings;
  std::string isolation = "serializable";
  std::string workload = "list-append";
  std::string policy = "leveled";
  std::string history;  // a file to check; "-": stdin
  std::string save;
  bool hermitage = false;
  bool trial = false;
  bool show_allowed = false;
  bool json = false;
};

// What to say when an assert of a room, or a wild pointer, ends the program.
std::string looking_at;

void say_where(int signal) {
  (void)!::write(STDERR_FILENO, looking_at.data(), looking_at.size());
  std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
}

// As it was called, in a form that can be pasted where it was called.
std::string own_name(const char* called) {
  std::error_code ignored;
  const std::filesystem::path path(called);
  if (!path.is_absolute()) return called;
  const std::string near = std::filesystem::proximate(path, ignored).string();
  return near.starts_with("..") ? called : near;
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;)
    text.insert(at -= 3, ",");
  return text;
}

std::string counted(std::uint64_t number, const std::string& one,
                    const std::string& many = {}) {
  return fmt::format("{} {}", grouped(number),
                     number == 1    ? one
                     : many.empty() ? one + "s"
                                    : many);
}

std::string anomalies_of(const Report& report) {
  std::string text;
  for (std::size_t i = 0; i < report.anomalies.size(); ++i) {
    if (report.anomalies[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        grouped(report.anomalies[i]),
                        short_name_of(static_cast<Anomaly>(i)));
  }
  return text;
}

void print_report(const Arguments& arguments, const Report& report,
                  const std::string& name) {
  const Settings& settings = arguments.settings;
  fmt::print("{}, {}: {} of {} sessions, from seed {}\n", arguments.isolation,
             arguments.workload,
             counted(report.histories, "history", "histories"),
             settings.plan.sessions, settings.plan.seed);
  fmt::print(
      "{}: {} committed, {} refused, {} rolled back; {} overlapped another\n",
      counted(report.transactions, "transaction"), grouped(report.committed),
      grouped(report.refused), grouped(report.rolled_back),
      grouped(report.overlaps));
  fmt::print("{}, {}\n", counted(report.flushes, "flush", "flushes"),
             counted(report.compactions, "compaction"));
  fmt::print("{}; {}{}\n", counted(report.arrows, "arrow"),
             report.bad == 0
                 ? "nothing wrong"
                 : counted(report.bad, "history", "histories") + " wrong: ",
             anomalies_of(report));
  if (report.with_allowed > 0) {
    fmt::print("{} with two rw arrows side by side, in {}: allowed here\n",
               counted(report.allowed, "cycle"),
               counted(report.with_allowed, "history", "histories"));
  }
  if (report.first) {
    fmt::print("\nIn the first that is wrong: {}\nIts seed again{}:\n  {} {}\n",
               report.first->story,
               settings.plan.turns ? ""
                                   : " (threads may meet otherwise; with "
                                     "--turns they cannot)",
               name, arguments_of(settings, report.first->seed));
  } else if (report.first_allowed && arguments.show_allowed) {
    fmt::print("\nThe first: {}", report.first_allowed->story);
  }
  if (!report.broken_off.empty()) {
    fmt::print("\nThe run itself broke off: {}\n", report.broken_off);
  }
}

nlohmann::ordered_json json_of(const Arguments& arguments, const Report& report,
                               const std::string& name) {
  nlohmann::ordered_json anomalies = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < report.anomalies.size(); ++i) {
    if (report.anomalies[i] == 0) continue;
    anomalies[short_name_of(static_cast<Anomaly>(i))] = report.anomalies[i];
  }
  nlohmann::ordered_json json = {{"isolation", arguments.isolation},
                                 {"workload", arguments.workload},
                                 {"policy", arguments.policy},
                                 {"seed", arguments.settings.plan.seed},
                                 {"histories", report.histories},
                                 {"transactions", report.transactions},
                                 {"committed", report.committed},
                                 {"refused", report.refused},
                                 {"rolled_back", report.rolled_back},
                                 {"overlaps", report.overlaps},
                                 {"arrows", report.arrows},
                                 {"flushes", report.flushes},
                                 {"compactions", report.compactions},
                                 {"bad", report.bad},
                                 {"anomalies", std::move(anomalies)},
                                 {"allowed", report.allowed},
                                 {"with_allowed", report.with_allowed},
                                 {"broken_off", report.broken_off},
                                 {"first", nullptr}};
  if (report.first) {
    const Exhibit& first = *report.first;
    json["first"] = {
        {"seed", first.seed},
        {"anomaly", short_name_of(first.finding)},
        {"story", first.story},
        {"command", fmt::format("{} {}", name,
                                arguments_of(arguments.settings, first.seed))}};
  }
  return json;
}

int prove(const Arguments& arguments, const std::string& name) {
  using SteadyClock = std::chrono::steady_clock;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  SteadyClock::time_point shown;
  const Report report = run_prove(arguments.settings, [&](const Report& so_far,
                                                          std::uint64_t seed) {
    looking_at = fmt::format("\nlsm-check: that was this history:\n  {} {}\n",
                             name, arguments_of(arguments.settings, seed));
    if (!terminal ||
        SteadyClock::now() - shown < std::chrono::milliseconds(100)) {
      return;
    }
    shown = SteadyClock::now();
    fmt::print(stderr, "\r  {} of {} histories\x1b[K",
               grouped(so_far.histories),
               grouped(arguments.settings.histories));
    std::fflush(stderr);
  });
  if (terminal) fmt::print(stderr, "\r\x1b[K");
  if (!arguments.save.empty() && (report.first || report.first_allowed)) {
    const Exhibit& exhibit =
        report.first ? *report.first : *report.first_allowed;
    std::ofstream(arguments.save) << to_string(exhibit.history);
  }
  if (arguments.json && arguments.trial && report.clean()) return 0;
  if (arguments.json) {
    fmt::print("{}\n", json_of(arguments, report, name).dump(2));
  } else {
    print_report(arguments, report, name);
  }
  return report.clean() ? 0 : 1;
}

// Every plan of the trial, until one is not clean. (As JSON: only
// that one.)
int try_all(Arguments arguments, const std::string& name) {
  for (const Settings& settings : trial_plans(arguments.settings.plan.seed)) {
    arguments.settings = settings;
    arguments.isolation = name_in(kLevels, settings.plan.isolation);
    arguments.workload = name_in(kWorkloads, settings.plan.workload);
    if (const int status = prove(arguments, name); status != 0) return status;
  }
  return 0;
}

// A history that somebody wrote down.
int check_file(const Arguments& arguments) {
  std::string text;
  if (arguments.history == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(arguments.history);
    if (!file) {
      fmt::print(stderr, "lsm-check: cannot read {}\n", arguments.history);
      return 2;
    }
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto history = parse_history(text);
  if (!history) {
    fmt::print(stderr, "lsm-check: {}\n", history.error().message);
    return 2;
  }
  Graph graph;
  const Isolation isolation = arguments.settings.plan.isolation;
  const Verdict verdict = check(*history, isolation, graph);
  fmt::print(
      "{}: {} committed, {}; {} wrong{}\n", arguments.isolation,
      verdict.transactions, counted(verdict.arrows, "arrow"),
      verdict.wrong.empty() ? "nothing" : std::to_string(verdict.wrong.size()),
      verdict.allowed.empty()
          ? std::string()
          : ", " + counted(verdict.allowed.size(), "cycle") + " allowed");
  for (const auto* findings : {&verdict.wrong, &verdict.allowed}) {
    if (findings->empty()) continue;
    fmt::print("\n{}", tell(*history, graph, findings->front(), isolation));
    break;
  }
  return verdict.wrong.empty() ? 0 : 1;
}

int print_hermitage() {
  for (const Script& script : hermitage()) {
    fmt::print("{:<9} {}\n", script.name, script.about);
    for (const auto& [level, isolation] : kLevels) {
      SimFileSystem disk;
      const auto executor = make_stepped_executor(1);
      Options options;
      options.file_system = &disk;
      options.executor = executor.get();
      auto db = Db::open("db", options);
      Result<Played> played = db ? play(script, isolation, subject_of(**db))
                                 : std::unexpected(db.error());
      if (!played) {
        fmt::print("\nThe run itself broke off: {}\n", played.error().message);
        return 1;
      }
      fmt::print(
          "          {:<13} {:<14} {}\n", level, played->fate,
          played->found.empty() ? "nothing wrong" : "wrong: " + played->found);
    }
  }
  return 0;
}

void add_options(CLI::App& app, Arguments& arguments) {
  Settings& settings = arguments.settings;
  Plan& plan = settings.plan;
  const auto choice = [&](const std::string& name, std::string& to,
                          const auto& names, const std::string& help) {
    return app.add_option(name, to, help)
        ->check(CLI::IsMember(names))
        ->capture_default_str();
  };
  choice("--isolation", arguments.isolation, kLevels,
         "What the transactions ask for, and what is checked");
  choice("--workload", arguments.workload, kWorkloads,
         "Lists that grow; or numbers, blind writes and removals");
  choice("--policy", arguments.policy, kPolicies, "The compaction policy");
  app.add_option("--seed", plan.seed, "Of the first history")
      ->capture_default_str();
  app.add_option("--histories", settings.histories, "How many")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--transactions", plan.transactions, "Of a history")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--threads", plan.sessions, "Sessions, each a thread")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--keys", plan.keys, "At a time: fewer, more conflicts")
      ->check(CLI::Range(1, 25))
      ->capture_default_str();
  app.add_flag("--turns", plan.turns,
               "One thread takes turns, drawn from the seed: a history can be "
               "had again");
  app.add_flag("--allowed", arguments.show_allowed,
               "Tell a cycle that snapshot isolation allows");
  app.add_option("--save", arguments.save,
                 "Write the history that is told to this file");
  auto* history = app.add_option("--history", arguments.history,
                                 "Check the history in this file (-: stdin)");
  app.add_flag("--hermitage", arguments.hermitage,
               "Play ten known anomalies under each level")
      ->excludes(history);
  app.add_flag("--trial", arguments.trial,
               "Some hundred histories of all kinds in turns, until one is "
               "wrong; of the options above only --seed counts")
      ->excludes(history);
  app.add_flag("--json", arguments.json, "The report as JSON");
  app.footer(kFooter);
  app.final_callback([&arguments] {
    Plan& chosen = arguments.settings.plan;
    chosen.isolation = kLevels.at(arguments.isolation);
    chosen.workload = kWorkloads.at(arguments.workload);
    arguments.settings.policy = kPolicies.at(arguments.policy);
  });
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Concurrent transactions, and whether any order explains them.");
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGABRT, say_where);
  std::signal(SIGSEGV, say_where);
  try {
    if (arguments.hermitage) return print_hermitage();
    if (arguments.trial) return try_all(arguments, own_name(argv[0]));
    if (!arguments.history.empty()) return check_file(arguments);
    return prove(arguments, own_name(argv[0]));
  } catch (const std::exception& error) {  // a room that is not written yet
    fmt::print("\nThe run itself broke off: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace lsm::check

int main(int argc, char** argv) {
  return lsm::check::main_of(argc, argv);
}
