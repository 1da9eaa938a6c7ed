#include "syllabus.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <numeric>
#include <string>

namespace lsm::course {
namespace {

constexpr std::array<Day, 21> kDays = {{
    {"1.1", "memtable", "a skip list that remembers versions"},
    {"1.2", "block", "sorted entries, searched in place"},
    {"1.3", "table", "blocks, an index and a footer: a file"},
    {"1.4", "merge", "many sorted inputs read as one"},
    {"1.5", "read_path", "get and scan over everything"},
    {"1.6", "wal", "a log that survives a torn tail"},
    {"1.7", "write_path", "write, freeze, flush, install"},
    {"2.1", "compaction", "merge tables, drop what is dead"},
    {"2.2", "policies", "which tables to merge, and when"},
    {"2.3", "leveled", "the picker production engines use"},
    {"2.4", "manifest", "a tree that survives a restart"},
    {"2.5", "recovery", "open after anything"},
    {"2.6", "filter", "do not read what is not there"},
    {"2.7", "cache", "do not read the same block twice"},
    {"3.1", "snapshots", "read the past while others write"},
    {"3.2", "garbage", "keep what a snapshot can still see"},
    {"3.3", "compaction_filter", "drop by prefix, age or your rule"},
    {"3.4", "transactions", "a private workspace, one commit"},
    {"3.5", "conflicts", "who may commit"},
    {"3.6", "phantoms", "ranges count too"},
    {"3.7", "group_commit", "many writers, one sync"},
}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return result;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 1; i <= a.size(); i++) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); j++) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1,
                         diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::span<const Day> syllabus() {
  return kDays;
}

std::string_view week_title(int week) {
  constexpr std::array<std::string_view, 4> kTitles = {
      "", "a store that answers", "a store that lasts",
      "a store that many share"};
  return kTitles[static_cast<std::size_t>(week)];
}

std::string title_of_name(std::string_view name) {
  std::string title(name);
  std::ranges::replace(title, '_', ' ');
  return title;
}

std::string_view parse_day(std::string_view typed) {
  const std::string text = lower(typed);
  std::string words = title_of_name(text);
  std::ranges::replace(words, '-', ' ');
  for (const Day& day : kDays) {
    if (words == title_of_name(day.name)) return day.id;
  }
  // Two lone digits, week and day, whatever stands between them.
  std::string digits;
  std::string_view rest = text;
  for (std::size_t i = 0; i < rest.size(); i++) {
    if (rest[i] < '0' || rest[i] > '9') continue;
    digits += rest[i];
    if (digits.size() == 2) {
      rest = rest.substr(i + 1);
      break;
    }
  }
  if (digits.size() != 2 || text.find_first_of("-+") == 0) return {};
  const std::string between = text.substr(0, text.size() - rest.size());
  const bool plain = between.size() == 3 &&
                     !std::isalnum(static_cast<unsigned char>(between[1]));
  const bool spelled_out = between.find("day") != std::string::npos ||
                           between.find("week") != std::string::npos;
  if (!plain && !spelled_out) return {};
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  for (const Day& day : kDays) {
    if (day.id[0] != digits[0] || day.id[2] != digits[1]) continue;
    const bool named = rest.starts_with('_') && rest.substr(1) == day.name;
    return rest.empty() || named ? day.id : std::string_view{};
  }
  return {};
}

std::string_view nearest(std::string_view typed,
                         std::span<const std::string_view> words) {
  std::string_view best;
  std::size_t distance = 4;
  for (const std::string_view word : words) {
    const std::size_t here = edit_distance(lower(typed), word);
    if (here < distance && here < std::max(word.size(), typed.size())) {
      best = word;
      distance = here;
    }
  }
  return best;
}

std::string_view nearest_day(std::string_view typed) {
  std::vector<std::string_view> words;
  for (const Day& day : kDays)
    words.push_back(day.name);
  return nearest(typed, words);
}

bool is_open(const Room& room) {
  return room.has_starter() && room.has_suite();
}

}  // namespace lsm::course
