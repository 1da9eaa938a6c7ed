// The course tool: `./course` builds it and becomes it. This file reads the
// command line; what a command does is in the file named for it.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bench_history.h"
#include "check.h"
#include "commands.h"
#include "hunt.h"
#include "mutants.h"
#include "pristine.h"
#include "rooms.h"
#include "starter.h"
#include "syllabus.h"
#include "terminal.h"
#include "update.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

struct Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view brief;
};

// What `course help` shows, in this order; the README says the same.
constexpr std::array kLearning = {
    Command{"", "", "where am I: the 21 days, the next page and check"},
    Command{"check", "[1.1]",
            "run a day's tests on your room; teach on failure"},
    Command{"watch", "[1.1]", "the same on every save"},
    Command{"hint", "[1.1]", "one more hint each time, three for a task"},
    Command{"diff", "[1.1]", "your room against the solution (a spoiler)"},
    Command{"reset", "1.1", "the starter back; yours is kept in .mine/"},
    Command{"hunt", "[1.1]", "a hidden bug: write the test that finds it"},
    Command{"book", "", "build the guide and serve it on this machine"},
    Command{"update", "", "a newer version of the course, into your files"},
};
constexpr std::array kEngine = {
    Command{"mine", "", "the whole engine from your finished rooms: its tests"},
    Command{"shell", "[PATH]",
            "open a store and talk to it (--mine: on yours)"},
    Command{"inspect", "FILE", "what stands in a table, log or manifest"},
    Command{"bench", "[ARGS]",
            "measure it (--mine: yours, --history: yours so far)"},
    Command{"sim", "[ARGS]",
            "a tree under a policy, step by step (--mine: yours)"},
    Command{"crash", "[ARGS]", "break it: power cuts, kills (--mine: yours)"},
    Command{"prove", "[ARGS]",
            "prove it: many transactions at once (--mine: yours)"},
    Command{"demo", "",
            "the finished engine on real data: load, kill, recover"},
    Command{"test", "", "every test on the reference, as CI runs them"},
};
constexpr std::array kMaking = {
    Command{"starters", "", "make week1/ ... again from the solutions"},
    Command{"mutants", "[--prove]",
            "every known bug, and the test (or history) that kills it"},
    Command{"pristine", "", "every untouched starter fails as it should"},
};

void print_commands(std::string_view title, std::span<const Command> commands) {
  fmt::print("\n{}\n", ink(Ink::bold, title));
  for (const Command& command : commands) {
    fmt::print(
        "  ./course {} {}\n",
        padded(fmt::format("{} {}", command.name, command.arguments), 15),
        command.brief);
  }
}

int print_help() {
  fmt::print("\nMini LSM from Scratch, in C++: the learner's command\n");
  print_commands("Learn", kLearning);
  print_commands("Run", kEngine);
  print_commands("Make", kMaking);
  fmt::print(
      "\nA day is 1.1 (week.day) or a name such as memtable; without one, the\n"
      "first unfinished day. ./course help check tells a command's options.\n");
  return 0;
}

int unknown_command(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const auto commands :
       {std::span<const Command>(kLearning), std::span<const Command>(kEngine),
        std::span<const Command>(kMaking)}) {
    for (const Command& command : commands) {
      if (!command.name.empty()) names.push_back(command.name);
    }
  }
  std::string message = fmt::format("There is no command \"{}\".", typed);
  const std::string_view day = parse_day(typed);
  const std::string_view near = nearest(typed, names);
  if (!day.empty()) {
    message += fmt::format(" Did you mean: ./course check {}", day);
  } else if (!near.empty()) {
    message += fmt::format(" Did you mean: ./course {}", near);
  }
  message += "\nThere are:";
  for (const std::string_view name : names)
    message += fmt::format(" {}", name);
  message += "\n./course help says what each does.";
  return bad_usage(message);
}

// The checkout: the launcher tells it; otherwise sought upwards from here.
fs::path find_root() {
  if (const char* told = std::getenv("COURSE_ROOT")) return told;
  for (fs::path folder = fs::current_path();; folder = folder.parent_path()) {
    if (fs::is_directory(folder / "solutions" / "base")) return folder;
    if (folder == folder.root_path()) return {};
  }
}

int run_command(const Course& course, std::vector<std::string> args) {
  // The launcher's --yes answers the questions of diff, and nothing else.
  const bool yes = std::erase(args, "--yes") > 0;
  if (args.empty()) return command_map(course);
  if (args[0] == "--help" || args[0] == "-h") args[0] = "help";
  if (args[0] == "help") {
    if (args.size() == 1) return print_help();
    args = {args[1], "--help"};
  }

  // These read their own arguments.
  const std::vector<std::string> rest(args.begin() + 1, args.end());
  if (args[0] == "starters") return command_starters(course, rest);
  if (args[0] == "mutants") return command_mutants(course, rest);
  if (args[0] == "pristine") return command_pristine(course, rest);

  CLI::App app;
  app.name("./course");
  app.require_subcommand(1);
  CheckOptions check;
  std::string day;
  int task = 0;
  bool again = false;
  bool quick = false;
  bool build_only = false;
  bool mine = false;
  bool asan = false;
  bool tsan = false;
  int port = 3000;
  std::string rooms;
  std::string only;
  std::string store;
  std::vector<std::string> passed_on;
  std::map<std::string, CLI::App*> commands;
  const auto add = [&](const std::string& name, const std::string& brief) {
    commands[name] = app.add_subcommand(name, brief);
    return commands[name];
  };

  for (const char* name : {"check", "watch"}) {
    CLI::App* command =
        add(name, name == std::string_view("check")
                      ? "Build a day's room (yours) and run its tests"
                      : "Run check on every save");
    command->add_option("day", day, "1.1, or memtable; else the next one");
    command->add_option("--task", check.task, "only this task's tests");
    command->add_option("--test", check.test,
                        "only tests whose name contains this");
    command->add_option("--limit", check.seconds,
                        "seconds one test may take (10)");
    command->add_flag("--asan", asan,
                      "with AddressSanitizer and UBSan: finds bad memory");
    command->add_flag("--tsan", tsan, "with ThreadSanitizer: finds data races");
  }
  commands["check"]->add_flag("--json", check.json, "the verdict as JSON");
  commands["check"]->footer(std::string("\n") + kJsonHelp);

  CLI::App* hint = add("hint", "One more hint each time");
  hint->add_option("day", day, "1.1, or memtable; else the next one");
  hint->add_option("--task", task, "for this task; else where you are");
  hint->add_flag("--again", again, "show those already shown");

  add("diff", "Your room against the solution; asks first, unless it is green")
      ->add_option("day", day, "1.1, or memtable; else the next one");
  commands["diff"]->footer("\n--yes shows it without asking.");
  add("reset", "The starter back; your files are kept in .mine/")
      ->add_option("day", day, "1.1, or memtable");

  CLI::App* book = add("book", "Build the guide and serve it");
  book->add_option("--port", port, "the first port to try (3000)");
  book->add_flag("--build", build_only, "build only: book/build/index.html");

  HuntOptions hunting;
  CLI::App* hunt = add("hunt", "Write the test that kills a hidden mutant");
  hunt->add_option("day", day, "1.1, or memtable; else the next one");
  hunt->add_option("--mutant", hunting.number, "hunt this one: its number")
      ->check(CLI::PositiveNumber);
  hunt->add_flag("--next", hunting.next, "leave the one at hand for later");
  hunt->add_flag("--reveal", hunting.show,
                 "tell its bug; it is not counted as caught then");
  hunt->add_flag("--list", hunting.list, "all of them, and what you caught");
  hunt->add_option("--limit", hunting.seconds,
                   "seconds one test may take (10)");

  UpdateOptions updating;
  CLI::App* update = add("update", "A newer version of the course");
  update->add_option("--from", updating.from,
                     "a ref, or another clone's folder or address");
  update->add_flag("--dry-run", updating.dry_run,
                   "tell what would happen; change nothing");
  update->footer(
      "\nWhat you wrote in week1/ ... is merged with what is new there. Files\n"
      "of yours that change are kept in .mine/ as they were. Without --from:\n"
      "the remote `upstream`, else where your branch comes from.");

  add("mine", "Build the engine from your finished rooms and test it")
      ->add_option("--rooms", rooms, "these rooms: 1.1,1.4 or all");
  CLI::App* test = add("test", "Every test on the reference");
  test->add_flag("--quick", quick, "without the long ones");
  test->add_option("--only", only, "programs whose name contains this");

  CLI::App* shell = add("shell", "Open a store and talk to it");
  shell->add_option("path", store, "the store (build/store)");
  shell->add_flag("--mine", mine, "on your engine");
  for (const auto& [name, brief] :
       {std::pair{"bench", "Measure the engine"},
        std::pair{"sim", "A tree under a policy, without files"},
        std::pair{"crash", "Power cuts and kills, and what is left"},
        std::pair{"prove", "Many transactions at once: does an order exist?"},
        std::pair{"demo", "The finished engine on real data"},
        std::pair{"inspect", "What stands in a table, log or manifest"}}) {
    CLI::App* command = add(name, brief);
    command->add_flag("--mine", mine, "on your engine");
    command->allow_extras();
    command->prefix_command(false);
  }
  commands["bench"]->footer(
      "\n--history alone plots what --mine measured, beside LevelDB. Every\n"
      "other option is lsm-bench's own: ./course bench -- --help");
  commands["sim"]->footer(
      "\nEvery other option is lsm-sim's own: ./course sim -- --help");
  if (!commands.contains(args[0])) return unknown_command(args[0]);
  // What stands behind "--" is the tool's, even if it is a --help.
  if (commands[args[0]]->get_allow_extras()) {
    const auto dashes = std::ranges::find(args, "--");
    for (auto arg = dashes; arg != args.end(); ++arg) {
      if (arg != dashes) passed_on.push_back(*arg);
    }
    args.erase(dashes, args.end());
  }

  try {
    std::ranges::reverse(args);  // as CLI11 wants them
    app.parse(args);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const std::string name = app.get_subcommands().empty()
                                 ? std::string()
                                 : app.get_subcommands()[0]->get_name();
    return bad_usage(fmt::format("{}\n./course help {} tells the options.",
                                 error.what(), name));
  }
  const CLI::App* chosen = app.get_subcommands()[0];
  const std::string& name = chosen->get_name();
  if (asan && tsan) {
    return bad_usage("--asan and --tsan exclude each other: one at a time.");
  }
  check.day = day;
  if (asan) check.sanitizer = "asan";
  if (tsan) check.sanitizer = "tsan";
  const std::vector<std::string> extras = chosen->remaining();
  passed_on.insert(passed_on.begin(), extras.begin(), extras.end());

  if (name == "check") return command_check(course, check);
  if (name == "watch") return command_watch(course, check);
  if (name == "hint") return command_hint(course, day, task, again);
  if (name == "diff") return command_diff(course, day, yes);
  if (name == "reset") return command_reset(course, day);
  if (name == "hunt") {
    hunting.day = day;
    return command_hunt(course, hunting);
  }
  if (name == "update") return command_update(course, updating);
  if (name == "book") return command_book(course, port, build_only);
  if (name == "mine") return command_mine(course, rooms);
  if (name == "test") return command_test(course, quick, only);
  if (name == "shell") {
    if (store.empty()) store = (course.root / "build" / "store").string();
    return command_tool(course, "lsm", {"shell", store}, mine);
  }
  if (name == "bench") return command_bench(course, passed_on, mine);
  if (name == "sim" || name == "crash") {
    return command_tool(course, "lsm-" + name, passed_on, mine);
  }
  if (name == "prove") {
    return command_tool(course, "lsm-check", passed_on, mine);
  }
  passed_on.insert(passed_on.begin(), name);  // a command of lsm's own
  return command_tool(course, "lsm", passed_on, mine);
}

}  // namespace
}  // namespace lsm::course

int main(int argc, char* argv[]) {
  using namespace lsm::course;
  try {
    const std::filesystem::path root = find_root();
    if (root.empty()) {
      return bad_usage("This is not inside a checkout of the course.");
    }
    return run_command(discover(root, root / "build" / "course"),
                       {argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "course: {}\n", error.what());
    return 1;
  }
}
