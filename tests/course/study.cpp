// Help while working on a room: hints, the difference to the solution, a
// fresh start.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "commands.h"
#include "guide.h"
#include "process.h"
#include "progress.h"
#include "starter.h"
#include "syllabus.h"
#include "terminal.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

// A hint as the terminal shows it: indented, its back-quotes in colour, code
// blocks as they are.
void print_hint(std::string_view title, std::string_view text) {
  fmt::print("  {}\n", ink(Ink::bold, title));
  std::istringstream lines{std::string(text)};
  std::string paragraph;
  bool code = false;
  const auto flush = [&] {
    if (paragraph.empty()) return;
    std::istringstream words(paragraph);
    std::string line;
    for (std::string word; words >> word;) {
      if (!line.empty() &&
          columns(line) + 1 + columns(word) > terminal().width - 6) {
        fmt::print("    {}\n", spelled(line));
        line.clear();
      }
      line += (line.empty() ? "" : " ") + word;
    }
    fmt::print("    {}\n", spelled(line));
    paragraph.clear();
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      flush();
      code = !code;
    } else if (code) {
      fmt::print("      {}\n", ink(Ink::link, line));
    } else if (line.empty()) {
      flush();
      fmt::print("\n");
    } else if (line.starts_with("- ") || line.starts_with("* ") ||
               (line[0] >= '0' && line[0] <= '9' && line.find(". ") < 3)) {
      flush();  // an item starts a line of its own
      paragraph = line;
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + line;
    }
  }
  flush();
  fmt::print("\n");
}

// The solution without the markers that only the generator needs.
std::string without_markers(std::string_view source) {
  std::string result;
  std::istringstream lines{std::string(source)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find("// ANCHOR");
    const bool marker = at != std::string::npos &&
                        (line.find(": task-", at) != std::string::npos ||
                         line.find(": hide-", at) != std::string::npos);
    if (!marker) result += line + "\n";
  }
  return result;
}

}  // namespace

std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts));
  return text;
}

int command_hint(const Course& course, const std::string& day, int task,
                 bool again) {
  Progress progress = Progress::load(course);
  const Room* room = choose_room(course, day, progress);
  if (room == nullptr) return 2;
  const std::map<int, std::vector<std::string>> hints =
      parse_hints(fs::is_regular_file(room->hints) ? read_file(room->hints)
                                                   : std::string{});
  if (hints.empty()) {
    fmt::print("Day {} has no hints. Its page: {}\n", room->id,
               page_of(course, *room, 0));
    return 1;
  }
  Remembered& kept = progress.at(room->id);
  if (task == 0) task = kept.next_task;
  if (task == 0) task = hints.begin()->first;
  const auto found = hints.find(task);
  if (found == hints.end()) {
    std::string tasks;
    for (const auto& [number, ignored] : hints) {
      tasks += (tasks.empty() ? "" : ", ") + std::to_string(number);
    }
    return bad_usage(fmt::format("Day {} has no hints for task {}. It has: {}.",
                                 room->id, task, tasks));
  }
  const int all = static_cast<int>(found->second.size());
  const int before = std::min(kept.hints[task], all);
  const int shown = again ? before : std::min(before + 1, all);
  const std::map<int, std::string> titles = task_titles(*room);
  const auto title = titles.find(task);
  fmt::print("\n{}{}\n\n",
             ink(Ink::bold, fmt::format("{} task {}", room->id, task)),
             title == titles.end() ? "" : spelled(": " + title->second));
  if (shown == 0) {
    fmt::print("  No hint was shown yet.\n\n");
  }
  for (int i = again ? 0 : std::max(shown - 1, 0); i < shown; i++) {
    print_hint(fmt::format("Hint {} of {}", i + 1, all),
               found->second[static_cast<std::size_t>(i)]);
  }
  kept.hints[task] = shown;
  progress.save();
  if (shown < all) {
    print_field("more",
                fmt::format("./course hint {} --task {}", room->id, task),
                Ink::link);
  } else {
    print_field("",
                before == all ? "There are no more hints for this task."
                              : "That was the last one.",
                Ink::dim);
    print_field("more",
                fmt::format("./course diff {} shows the solution", room->id),
                Ink::link);
  }
  print_field("page", page_of(course, *room, task), Ink::link);
  return 0;
}

int command_diff(const Course& course, const std::string& day, bool yes) {
  const Progress progress = Progress::load(course);
  const Room* room = choose_room(course, day, progress);
  if (room == nullptr) return 2;
  const State state = progress.state(course, *room);
  if (state != State::green && state != State::gold && !yes) {
    print_line(fmt::format("{} {} is not green yet: this shows the solution.",
                           room->id, title_of_name(room->name)));
    print_line(
        fmt::format("A hint gives away less: ./course hint {}", room->id));
    if (!ask("Show it?")) {
      print_line("Not shown. To show it without a question, add --yes.");
      return 1;
    }
  }
  const fs::path folder = course.build / "diff" / room->id;
  fs::remove_all(folder);
  fs::create_directories(folder / "mine");
  for (const auto& [name, source] : read_sources(room->mine)) {
    write_if_changed(folder / "mine" / name, source);
  }
  for (const auto& [name, source] : read_sources(room->reference)) {
    write_if_changed(folder / "solution" / name, without_markers(source));
  }
  std::fflush(stdout);
  const Finished finished =
      run({"git", "--no-pager", "diff", "--no-index",
           terminal().colours ? "--color=always" : "--color=never", "--",
           "mine", "solution"},
          folder, {}, Capture::no);
  if (finished.status == 0) print_line("No difference.");
  return finished.status > 1 ? 1 : 0;
}

int command_reset(const Course& course, const std::string& day) {
  if (day.empty()) {
    return bad_usage("Which day? For example: ./course reset 1.1");
  }
  Progress progress = Progress::load(course);
  const Room* room = find_room(course, day);
  if (room == nullptr) return 2;
  const std::map<std::string, std::string> starter = generate_starter(*room);
  if (starter.empty()) {
    return bad_usage(fmt::format("Day {} has no starter yet.", room->id));
  }
  if (room->has_starter() && !is_changed(*room)) {
    fmt::print("{} {} is the starter already.\n", room->id,
               title_of_name(room->name));
    return 0;
  }
  const fs::path aside =
      course.root / ".mine" / fmt::format("{}-{}", room->id, timestamp());
  if (room->has_starter()) {
    fs::create_directories(aside.parent_path());
    fs::rename(room->mine, aside);
  }
  for (const auto& [name, source] : starter) {
    write_if_changed(room->mine / name, source);
  }
  fmt::print("{} {} is the starter again.\n", room->id,
             title_of_name(room->name));
  if (fs::is_directory(aside)) {
    fmt::print("Yours is kept in {}\n",
               shown_path(aside.string(), course.root));
  }
  return 0;
}

}  // namespace lsm::course
