// The 21 days as the map shows them. What exists is told by the folders
// (rooms.h); this adds the titles, so that days still to come have a name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rooms.h"

namespace lsm::course {

struct Day {
  std::string_view id;     // "1.1"
  std::string_view name;   // "memtable"
  std::string_view brief;  // what it is, in a few words
};

std::span<const Day> syllabus();
std::string_view week_title(int week);
// A day's or a room's name as the book writes it: "read path" of "read_path".
std::string title_of_name(std::string_view name);

// A day's id from what a learner types: 1.1, 1-1, "day 1.1", week1/day1,
// day1_memtable, week1/day1_memtable/, memtable, or a name of two words
// however they are joined. Empty when it is none.
std::string_view parse_day(std::string_view typed);

// The name that is nearest to what was typed; empty when none is near.
std::string_view nearest_day(std::string_view typed);

// The nearest of `words` by edit distance; empty when none is within three.
std::string_view nearest(std::string_view typed,
                         std::span<const std::string_view> words);

// A day that can be worked on: it has a starter and a suite.
bool is_open(const Room& room);

}  // namespace lsm::course
