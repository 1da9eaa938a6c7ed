// `course` without arguments: where am I?
#include <fmt/core.h>

#include <string>

#include "check.h"
#include "commands.h"
#include "guide.h"
#include "progress.h"
#include "syllabus.h"
#include "terminal.h"

namespace lsm::course {
namespace {

constexpr std::size_t kNameWidth = 18;
constexpr std::size_t kStateWidth = 16;
constexpr std::size_t kBarWidth = 8;

std::string shown_state(State state, const Remembered* kept) {
  switch (state) {
    case State::coming:
      return ink(Ink::dim, "coming");
    case State::reference:
      return ink(Ink::dim, "reference");
    case State::not_started:
      return "not started";
    case State::edited:
      return ink(Ink::warn, "edited");
    case State::broken:
      return ink(Ink::bad, "not compiling");
    case State::gold:
      return ink(Ink::warn, "gold");
    case State::green:
      return ink(Ink::good, "green");
    case State::in_progress:
      return fmt::format("{} {}/{}",
                         bar(kept->core.passed, kept->core.total, kBarWidth),
                         kept->core.passed, kept->core.total);
  }
  return {};
}

void print_next(const Course& course, const Room& room,
                const Progress& progress) {
  const State state = progress.state(course, room);
  const Remembered* kept = progress.find(room.id);
  const bool known =
      kept != nullptr && state != State::edited && state != State::broken;
  const int task = known ? kept->next_task : 0;
  std::string what = room.id + " " + title_of_name(room.name);
  if (task > 0) {
    what += fmt::format(", task {}", task);
    const auto titles = task_titles(room);
    const auto found = titles.find(task);
    if (found != titles.end()) what += ": " + found->second;
  }
  if (state == State::green) what += " (to gold)";
  print_field("next", what, Ink::bold);
  print_field("read", page_of(course, room, task), Ink::link);
  print_field("write", room.folder + "/");
  print_field("check", "./course check " + room.id, Ink::link);
  if (state == State::edited) {
    print_field("", "edited since its last check", Ink::dim);
  }
}

}  // namespace

int command_map(const Course& course) {
  Progress progress = Progress::load(course);
  std::size_t done = 0;
  std::string days;
  int week = 0;
  for (const Day& day : syllabus()) {
    if (day.id[0] - '0' != week) {
      week = day.id[0] - '0';
      days += fmt::format(
          "\n  {}\n",
          ink(Ink::bold, fmt::format("Week {}: {}", week, week_title(week))));
    }
    const Room* room = course.find(day.id);
    const State state =
        room == nullptr ? State::coming : progress.state(course, *room);
    if (state == State::green || state == State::gold) done++;
    days += fmt::format(
        "    {} {}{}{}\n", day.id, padded(title_of_name(day.name), kNameWidth),
        padded(shown_state(state, progress.find(std::string(day.id))),
               kStateWidth),
        ink(Ink::dim, day.brief));
  }
  const std::string title = "Mini LSM from Scratch, in C++";
  const std::string count =
      fmt::format("{} of {} days done", done, syllabus().size());
  fmt::print(
      "\n{}{}{}\n{}\n", ink(Ink::bold, title),
      std::string(terminal().width - 2 - title.size() - count.size(), ' '),
      count, days);

  const Room* next = progress.next_day(course);
  if (next == nullptr) {
    print_line(done == 0 ? "  No day is open here yet."
                         : "  Every day that is open is gold.");
    if (done > 0) print_field("see it", "./course mine", Ink::link);
    return 0;
  }
  print_next(course, *next, progress);
  print_field("book", "./course book", Ink::link);
  print_field("more", "./course help", Ink::link);
  if (!progress.first_run()) return 0;

  progress.welcomed = true;
  progress.save();
  fmt::print("\n");
  print_line(fmt::format(
      "  Welcome. This is the first check of day {}: it fails, as it should,\n"
      "  and this is how every failure will speak to you.",
      next->id));
  std::fflush(stdout);
  const CheckOptions options;
  const Checked checked = check_room(course, *next, options, progress);
  print_checked(course, *next, checked, progress);
  return 0;
}

}  // namespace lsm::course
