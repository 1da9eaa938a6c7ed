// What the book and the headers say, looked up: task headings and their
// anchors, hints, numbered invariants.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rooms.h"

namespace lsm::course {

// The anchor mdBook gives a heading: lower case, letters, digits, - and _
// kept, each space a -, the rest dropped.
std::string anchor_of(std::string_view heading);

// A page's task headings: number -> the text behind `## `.
std::map<int, std::string> task_headings(std::string_view page);

// "Insert and find" from "Task 1: Insert and find", "the finger" from
// "Task 6: the finger (gold)".
std::string title_of(std::string_view heading);

// A room's tasks with a title each: the page's, else the solution's labels.
std::map<int, std::string> task_titles(const Room& room);

// "book/src/week1/day1.md#task-1-…", without the anchor when the page has no
// such task.
std::string page_of(const Course& course, const Room& room, int task);

// Hints by task, in order of their tiers.
std::map<int, std::vector<std::string>> parse_hints(std::string_view text);

struct Invariant {
  std::string text;  // "I2 the newest version comes first …"
  std::string file;
  std::size_t line = 0;
};

// The invariant of that number ("I2") in a header's comments: from `// I2` on
// as far as the lines are indented under it.
std::optional<Invariant> find_invariant(std::string_view header,
                                        std::string_view number);

// The one that a test of `room` cites: "I2 …", or "I2 of log_format.h …" where
// the room has several headers, or the header is a given one or another room's.
// Nothing when there is none, or more than one.
std::optional<Invariant> find_invariant(const Course& course, const Room& room,
                                        std::string_view cited);

// "I2" from "I2 the newest …"; empty when it starts otherwise.
std::string invariant_number(std::string_view text);

}  // namespace lsm::course
