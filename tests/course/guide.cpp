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

// Where a comment's text begins; 0 when the line has none.
static std::size_t comment_indent(string_view line) {
  if (!line.starts_with("//")) return 0;
  const std::size_t begin = line.find_first_not_of(" \t", 2);
  return begin == string_view::npos ? 0 : begin;
}

// "batch.h" from "I2 of batch.h: …"; empty when it names none.
static string cited_header(string_view cited) {
  const std::size_t of = cited.find(" of ");
  if (of == string_view::npos) return {};
  const string_view word = cited.substr(of + 4);
  const std::size_t end = word.find(".h");
  if (end == string_view::npos || word.substr(0, end).contains(' ')) return {};
  return string(word.substr(0, end + 2));
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
  std::size_t first = 0;  // the indent of the first invariant, and of all
  for (std::size_t i = 0; i < lines.size(); i++) {
    const std::size_t indent = comment_indent(lines[i]);
    if (indent == 0) continue;
    const string here = invariant_number(lines[i].substr(indent));
    if (first == 0 && !here.empty()) first = indent;
    if (here != number || indent != first) continue;
    Invariant result{
        .text = string(lines[i].substr(indent)), .file = {}, .line = i + 1};
    // What goes on below an invariant is indented under it, and may begin with
    // the number of another.
    for (std::size_t j = i + 1;
         j < lines.size() && comment_indent(lines[j]) > indent; j++) {
      result.text += " " + string(lines[j].substr(comment_indent(lines[j])));
    }
    return result;
  }
  return std::nullopt;
}

std::optional<Invariant> find_invariant(const Course& course, const Room& room,
                                        string_view cited) {
  const string number = invariant_number(cited);
  if (number.empty()) return std::nullopt;
  const string header = cited_header(cited);
  const auto look_in = [&](const std::filesystem::path& folder,
                           const string& shown, const string& name) {
    const std::map<string, string> sources = read_sources(folder);
    const auto source = sources.find(name);
    std::optional<Invariant> found;
    if (source != sources.end()) found = find_invariant(source->second, number);
    if (found) found->file = shown + "/" + name;
    return found;
  };
  if (header.empty()) {
    // Where several headers count from I1 on, the number alone names none.
    std::optional<Invariant> only;
    for (const auto& [name, source] : read_sources(room.reference)) {
      if (!name.ends_with(".h")) continue;
      std::optional<Invariant> found =
          look_in(room.reference, room.folder, name);
      if (found && only) return std::nullopt;
      if (found) only = std::move(found);
    }
    return only;
  }
  // The room's own, a given one ("base/iterator.h", "lsm/snapshot.h"), or that
  // of a room below.
  const string name = header.substr(header.rfind('/') + 1);
  auto found = look_in(room.reference, room.folder, name);
  for (const string folder : {"solutions/base", "solutions/include/lsm"}) {
    if (!found) found = look_in(course.root / folder, folder, name);
  }
  for (const Room& below : course.rooms) {
    if (!found) found = look_in(below.reference, below.folder, name);
  }
  return found;
}

}  // namespace lsm::course
