// lsm-crash: power cuts, kills and lying disks, as many as you like, and what
// the store makes of them (crash_lab.h).
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/crash/crash_lab.h"

namespace lsm::crash {
namespace {

const std::map<std::string, CompactionStyle> kPolicies = {
    {"leveled", CompactionStyle::leveled},
    {"tiered", CompactionStyle::tiered},
    {"simple", CompactionStyle::simple}};
const std::map<std::string, std::vector<CrashModel>> kModels = {
    {"ordered", {CrashModel::ordered}},
    {"any", {CrashModel::any_subset}},
    {"both", {CrashModel::ordered, CrashModel::any_subset}}};
const std::map<std::string, Lie> kLies = {{"sync", Lie::sync},
                                          {"sync-dir", Lie::sync_dir},
                                          {"late-sync", Lie::late_sync}};

constexpr const char* kFooter = R"(
An image is what a disk may hold after a power cut (or a kill). Each must open
and hold exactly the first m batches, for an m from the last synced one to the
last started; after a kill, from the last acknowledged one. The exit status is
1 when one does not, and 2 for a bad command line.

JSON (--json): {"policy", "seed", "batches", "end": "power cut" | "kill",
  "twice", "operations", "opens", "flushes", "compactions", "images", "bad",
  "losing", "most_lost", "broken_off", "first": null or {"operation", "model",
  "draw", "synced", "acknowledged", "started", "what", "history", "damage",
  "command"}})";

struct Arguments {
  Settings settings;
  std::string policy = "leveled";
  std::string model = "both";
  std::string lie;
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

// One line, drawn again and again, on a terminal only.
class ProgressLine {
 public:
  void show(std::uint64_t done, std::uint64_t all, std::uint64_t operation) {
    if (!terminal_ || Clock::now() - shown_ < std::chrono::milliseconds(100))
      return;
    shown_ = Clock::now();
    fmt::print(stderr, "\r  {} of {} images, operation {}\x1b[K", grouped(done),
               grouped(all), grouped(operation));
    std::fflush(stderr);
  }
  void clear() {
    if (terminal_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  using Clock = std::chrono::steady_clock;
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  Clock::time_point shown_;
};

void print_report(const Arguments& arguments, const Report& report,
                  const std::string& name) {
  const Settings& settings = arguments.settings;
  fmt::print(
      "{}, seed {}: {} batches, {} operations of the disk, {} flushes, {} "
      "compactions, opened {} times\n",
      arguments.policy, settings.seed, settings.batches,
      grouped(report.operations), report.flushes, report.compactions,
      report.opens);
  fmt::print(
      "{} {} after a {}{}: {} good, {} bad\n", grouped(report.images),
      report.images == 1 ? "image" : "images",
      settings.kill ? "kill" : "power cut",
      settings.twice ? ", and one in the recovery, and one in the next" : "",
      grouped(report.images - report.bad), grouped(report.bad));
  if (report.losing > 0) {
    fmt::print(
        "{} of the good ones had lost batches that were acknowledged and not "
        "synced, {} at most\n",
        grouped(report.losing), report.most_lost);
  }
  if (report.first) {
    fmt::print("\nThe first bad one. {}\nThis image alone:\n  {} {}\n",
               describe(settings, *report.first), name,
               arguments_of(settings, report.first->image));
  }
  if (!report.broken_off.empty()) {
    fmt::print("\nThe run itself broke off: {}\n", report.broken_off);
  }
}

nlohmann::ordered_json json_of(const Arguments& arguments, const Report& report,
                               const std::string& name) {
  const Settings& settings = arguments.settings;
  nlohmann::ordered_json json = {{"policy", arguments.policy},
                                 {"seed", settings.seed},
                                 {"batches", settings.batches},
                                 {"end", settings.kill ? "kill" : "power cut"},
                                 {"twice", settings.twice},
                                 {"operations", report.operations},
                                 {"opens", report.opens},
                                 {"flushes", report.flushes},
                                 {"compactions", report.compactions},
                                 {"images", report.images},
                                 {"bad", report.bad},
                                 {"losing", report.losing},
                                 {"most_lost", report.most_lost},
                                 {"broken_off", report.broken_off},
                                 {"first", nullptr}};
  if (!report.first) return json;
  const Failure& failure = *report.first;
  const Image& image = failure.image;
  json["first"] = {
      {"operation", image.operation},
      {"model", image.model == CrashModel::ordered ? "ordered" : "any"},
      {"draw", image.draw},
      {"synced", image.promise.synced},
      {"acknowledged", image.promise.acknowledged},
      {"started", image.promise.started},
      {"what", failure.what},
      {"history", failure.history},
      {"damage", failure.damage},
      {"command", fmt::format("{} {}", name, arguments_of(settings, image))}};
  return json;
}

void add_options(CLI::App& app, Arguments& arguments) {
  Settings& settings = arguments.settings;
  const auto choice = [&](const std::string& name, std::string& to,
                          const auto& names, const std::string& help) {
    return app.add_option(name, to, help)
        ->check(CLI::IsMember(names))
        ->capture_default_str();
  };
  choice("--policy", arguments.policy, kPolicies, "The compaction policy");
  app.add_option("--seed", settings.seed, "Of the workload, and of all draws")
      ->capture_default_str();
  app.add_option("--batches", settings.batches, "That the workload writes")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  auto* images =
      app.add_option("--images", settings.images,
                     "Spread evenly over the disk's operations (1000); with "
                     "--at, so many draws there (one for each model)")
          ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}));
  auto* at = app.add_option("--at", settings.at,
                            "Only before this operation of the disk")
                 ->check(CLI::Range(std::uint64_t{1}, UINT64_MAX));
  app.add_option("--draw", settings.draw,
                 "The first draw; which image of the many that a power cut "
                 "may leave")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 40))
      ->capture_default_str();
  auto* model = choice(
      "--model", arguments.model, kModels,
      "Which unsynced changes of names are kept: the first so many, or any");
  auto* kill = app.add_flag("--kill", settings.kill,
                            "The process dies, and the disk does not");
  kill->excludes(model);
  app.add_flag("--twice", settings.twice,
               "Power fails again in the recovery, and in the next one")
      ->excludes(kill);
  app.add_flag("--append-log", settings.append_log,
               "Logs are appended to, and not mapped");
  app.add_flag("--transactions", settings.transactions,
               "Batches are transactions, each beside one that must lose");
  choice("--break", arguments.lie, kLies,
         "The disk confirms this, and does not do it (or does it late)");
  app.add_flag("--json", arguments.json, "The report as JSON");
  app.footer(kFooter);
  app.final_callback([&arguments, &settings, images, at] {
    settings.policy = kPolicies.at(arguments.policy);
    settings.models = kModels.at(arguments.model);
    if (settings.kill) settings.models.resize(1);
    if (!arguments.lie.empty()) settings.lie = kLies.at(arguments.lie);
    if (at->count() > 0 && images->count() == 0) {
      settings.images = settings.models.size();
    }
  });
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Power cuts and kills, and what the store makes of them.");
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const std::string name = own_name(argv[0]);
  std::signal(SIGABRT, say_where);
  std::signal(SIGSEGV, say_where);
  ProgressLine progress;
  const Report report = run_lab(
      arguments.settings,
      [&](std::uint64_t done, std::uint64_t all, const Image& image) {
        looking_at = fmt::format(
            "\nlsm-crash: that was this image, or the run after it:\n  {} {}\n",
            name, arguments_of(arguments.settings, image));
        progress.show(done, all, image.operation);
      });
  progress.clear();
  if (arguments.json) {
    fmt::print("{}\n", json_of(arguments, report, name).dump(2));
  } else {
    print_report(arguments, report, name);
  }
  return report.clean() ? 0 : 1;
}

}  // namespace
}  // namespace lsm::crash

int main(int argc, char** argv) {
  return lsm::crash::main_of(argc, argv);
}
