#include "guide.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

namespace lsm::course {
namespace {

using std::string;
using std::string_view;

std::vector<string_view> lines_of(string_view text) {
  std::vector<string_view> result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    result.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

string_view without_spaces(string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

// The number in "Task 2: …" or "Hint 3"; 0 when the heading is another.
int number_after(string_view text, string_view word) {
  if (!text.starts_with(word)) return 0;
  return std::atoi(string(text.substr(word.size())).c_str());
}

string content(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(path) ? read_file(path) : string{};
}

}  // namespace

string anchor_of(string_view heading) {
  string result;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || byte >= 0x80) {
      result += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (c == ' ') {
      result += '-';
    }
  }
  // The dashes of typography are not letters: mdBook drops them.
  for (const string_view dash : {"—", "–", "…", "’", "“", "”"}) {
    for (std::size_t at = result.find(dash); at != string::npos;
         at = result.find(dash)) {
      result.erase(at, dash.size());
    }
  }
  return result;
}

std::map<int, string> task_headings(string_view page) {
  std::map<int, string> result;
  for (const string_view line : lines_of(page)) {
    if (!line.starts_with("## ")) continue;
    const string_view heading = without_spaces(line.substr(3));
    const int number = number_after(heading, "Task ");
    if (number > 0) result.emplace(number, heading);
  }
  return result;
}

string title_of(string_view heading) {
  std::size_t at = heading.find_first_of("0123456789");
  if (at == string_view::npos) return string(heading);
  at = heading.find_first_not_of("0123456789", at);
  if (at == string_view::npos) return {};
  heading.remove_prefix(at);
  for (const string_view sign : {":", " —", " –", " -", "."}) {
    if (heading.starts_with(sign)) {
      heading.remove_prefix(sign.size());
      break;
    }
  }
  constexpr string_view kGold = "(gold)";  // whoever lists tasks says so
  if (heading.ends_with(kGold)) heading.remove_suffix(kGold.size());
  string title(without_spaces(heading));
  std::erase(title, '`');
  return title;
}

std::map<int, string> task_titles(const Room& room) {
  std::map<int, string> result;
  for (const auto& [number, heading] : task_headings(content(room.page))) {
    result[number] = title_of(heading);
  }
  for (const Task& task : room.tasks) {
    if (result.contains(task.number)) continue;
    string title;
    for (const string& label : task.labels) {
      title += (title.empty() ? "" : ", ") + label;
    }
    result[task.number] = title;
  }
  return result;
}

string page_of(const Course& course, const Room& room, int task) {
  string result =
      std::filesystem::relative(room.page, course.root).generic_string();
  const std::map<int, string> headings = task_headings(content(room.page));
  const auto found = headings.find(task);
  if (found != headings.end()) result += "#" + anchor_of(found->second);
  return result;
}

std::map<int, std::vector<string>> parse_hints(string_view text) {
  std::map<int, std::vector<string>> result;
  int task = 0;
  bool in_hint = false;
  for (const string_view line : lines_of(text)) {
    if (line.starts_with("## ")) {
      task = number_after(line.substr(3), "Task ");
      in_hint = false;
    } else if (line.starts_with("### ") && task > 0) {
      in_hint = number_after(line.substr(4), "Hint ") > 0;
      if (in_hint) result[task].emplace_back();
    } else if (in_hint) {
      result[task].back() += string(line) + "\n";
    }
  }
  for (auto& [number, hints] : result) {
    for (string& hint : hints) {
      hint.erase(0, hint.find_first_not_of('\n'));
      hint.erase(hint.find_last_not_of("\n ") + 1);
    }
  }
  return result;
}

string invariant_number(string_view text) {
  if (!text.starts_with('I')) return {};
  const std::size_t end =
      std::min(text.find_first_not_of("0123456789", 1), text.size());
  return end == 1 ? string{} : string(text.substr(0, end));
}

std::optional<Invariant> find_invariant(string_view header,
                                        string_view number) {
  const std::vector<string_view> lines = lines_of(header);
  for (std::size_t i = 0; i < lines.size(); i++) {
    if (!lines[i].starts_with("//")) continue;
    string_view text = without_spaces(lines[i].substr(2));
    if (invariant_number(text) != number) continue;
    Invariant result{.text = string(text), .file = {}, .line = i + 1};
    for (std::size_t j = i + 1; j < lines.size(); j++) {
      // What goes on below an invariant is indented under it.
      if (!lines[j].starts_with("//  ")) break;
      text = without_spaces(lines[j].substr(2));
      if (text.empty() || !invariant_number(text).empty()) break;
      result.text += " " + string(text);
    }
    return result;
  }
  return std::nullopt;
}

std::optional<Invariant> find_invariant(const Room& room, string_view cited) {
  const std::string number = invariant_number(cited);
  if (number.empty()) return std::nullopt;
  std::optional<Invariant> only;
  for (const auto& [name, source] : read_sources(room.reference)) {
    if (!name.ends_with(".h")) continue;
    std::optional<Invariant> found = find_invariant(source, number);
    if (!found) continue;
    found->file = room.folder + "/" + name;
    if (cited.find(" of " + name) != string_view::npos) return found;
    // Two headers count from I1 on: the number alone names neither.
    if (only) return std::nullopt;
    only = std::move(found);
  }
  // "I2 of tree_shape.h" may name another room's header, or one of base/.
  return cited.find(".h") == string_view::npos ? only : std::nullopt;
}

}  // namespace lsm::course
