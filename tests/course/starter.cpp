#include "starter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "process.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumns = 80;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Lines with their newlines.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

bool is_blank(std::string_view line) {
  return trimmed(line).empty();
}

struct Marker {
  bool begin = false;
  std::string_view name;   // "task-1-1-2"
  std::string_view label;  // "MemTable::get"
};

std::optional<Marker> parse_marker(std::string_view line) {
  std::string_view rest = trimmed(line);
  Marker marker;
  if (rest.starts_with("// ANCHOR:")) {
    marker.begin = true;
    rest.remove_prefix(10);
  } else if (rest.starts_with("// ANCHOR_END:")) {
    rest.remove_prefix(14);
  } else {
    return std::nullopt;
  }
  rest = trimmed(rest);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  marker.name = rest.substr(0, end);
  marker.label = trimmed(rest.substr(end));
  return marker;
}

// "task-1-1-2" of room "1.1" is task 2; 0 when it is no task of that room.
int task_number(std::string_view id, std::string_view name) {
  std::string prefix = fmt::format("task-{}-", id);
  std::ranges::replace(prefix, '.', '-');
  if (!name.starts_with(prefix)) return 0;
  name.remove_prefix(prefix.size());
  int number = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = end == name.data() + name.size();
  return error == std::errc() && whole && number > 0 ? number : 0;
}

std::string literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

// What stands in a starter for a task's body.
std::string todo_lines(std::string_view indent, std::string_view id, int task,
                       std::string_view label) {
  const std::string call = fmt::format(
      "{}LSM_TODO({},", indent, literal(fmt::format("{} task {}", id, task)));
  const std::string what = literal(label) + ");";
  const std::string gap = call.size() + 1 + what.size() <= kColumns
                              ? std::string(" ")
                              : fmt::format("\n{:{}}", "", indent.size() + 9);
  return fmt::format("{}// Task {}: {}\n{}{}{}\n", indent, task, label, call,
                     gap, what);
}

// Adds the include behind the last one that no #if surrounds.
std::string with_todo_include(std::string_view starter) {
  std::size_t at = 0;
  std::size_t offset = 0;
  int depth = 0;
  bool any = false;
  for (const std::string_view line : lines_of(starter)) {
    offset += line.size();
    const std::string_view text = trimmed(line);
    if (text.starts_with("#if")) depth++;
    if (text.starts_with("#endif")) depth--;
    const bool include = text.starts_with("#include");
    if (depth == 0 && (include || (!any && text == "#pragma once"))) {
      at = offset;
      any = any || include;
    }
  }
  std::string result(starter);
  result.insert(at, "#include \"base/todo.h\"\n");
  return result;
}

class Generator {
 public:
  Generator(std::string_view id, std::string_view name)
      : id_(id), name_(name) {}

  std::string generate(std::string_view solution) {
    for (const std::string_view line : lines_of(solution)) {
      line_++;
      if (const auto marker = parse_marker(line)) {
        if (marker->begin) {
          begin(*marker, line);
        } else {
          end(*marker, line);
        }
      } else if (!dropping()) {
        keep(line);
      }
    }
    if (!open_.empty()) {
      fail(open_.back().line,
           fmt::format("'{}' has no ANCHOR_END", open_.back().name));
    }
    return has_task_ ? with_todo_include(result_) : result_;
  }

 private:
  struct Region {
    std::string name;
    std::size_t line;
    bool dropped;
  };

  [[noreturn]] void fail(std::size_t line, const std::string& what) const {
    throw StarterError(fmt::format("{}:{}: {}", name_, line, what));
  }
  bool dropping() const { return std::ranges::any_of(open_, &Region::dropped); }
  const Region* open_task() const {
    const auto found = std::ranges::find_if(open_, [](const Region& region) {
      return region.name.starts_with("task-");
    });
    return found == open_.end() ? nullptr : &*found;
  }

  void begin(const Marker& marker, std::string_view line) {
    const bool task = marker.name.starts_with("task-");
    const bool hide = marker.name.starts_with("hide-");
    if (!task && !hide && !marker.name.starts_with("show-")) {
      fail(line_, fmt::format("'{}' begins with none of task-, hide-, show-",
                              marker.name));
    }
    if (task) begin_task(marker, line);
    if (!task && !hide && !dropping()) keep(line);
    open_.push_back({std::string(marker.name), line_, task || hide});
  }

  void begin_task(const Marker& marker, std::string_view line) {
    const int number = task_number(id_, marker.name);
    if (number == 0) {
      fail(line_, fmt::format("'{}' is no task of room {}", marker.name, id_));
    }
    if (const Region* outer = open_task()) {
      fail(line_, fmt::format("'{}' is inside '{}' of line {}", marker.name,
                              outer->name, outer->line));
    }
    if (dropping()) {
      fail(line_, fmt::format("'{}' is inside a hidden region: no learner "
                              "would see it",
                              marker.name));
    }
    if (marker.label.empty()) {
      fail(line_,
           fmt::format("'{}' does not say what to implement", marker.name));
    }
    has_task_ = true;
    keep(todo_lines(line.substr(0, line.find('/')), id_, number, marker.label));
  }

  void end(const Marker& marker, std::string_view line) {
    if (open_.empty()) {
      fail(line_, fmt::format("'{}' ends but never began", marker.name));
    }
    if (open_.back().name != marker.name) {
      fail(line_,
           fmt::format("'{}' ends while '{}' of line {} is open", marker.name,
                       open_.back().name, open_.back().line));
    }
    const bool dropped = open_.back().dropped;
    const bool hidden = open_.back().name.starts_with("hide-");
    open_.pop_back();
    if (dropping()) return;
    if (!dropped) keep(line);
    // The blank line before the hidden region serves for the one behind it.
    if (hidden) skip_blank_ = last_blank_;
  }

  void keep(std::string_view line) {
    const bool blank = is_blank(line);
    const bool skip = std::exchange(skip_blank_, false) && blank;
    if (skip) return;
    last_blank_ = blank;
    result_ += line;
  }

  std::string_view id_;
  std::string_view name_;
  std::size_t line_ = 0;
  std::vector<Region> open_;
  std::string result_;
  bool has_task_ = false;
  bool last_blank_ = false;  // of the lines kept so far
  bool skip_blank_ = false;
};

// A file of week*/ and what it should be; no content means no such file.
struct Planned {
  fs::path path;  // below the checkout
  std::optional<std::string> wanted;
  std::optional<std::string> there;
  bool differs() const { return wanted != there; }
};

std::vector<Planned> plan(const Course& course) {
  std::vector<Planned> files;
  std::set<fs::path> folders;
  for (const Room& room : course.rooms) {
    const auto wanted = generate_starter(room);
    const auto there = read_sources(room.mine);
    folders.insert(room.mine);
    for (const auto& [name, content] : wanted) {
      const auto found = there.find(name);
      files.push_back(
          {fs::path(room.folder) / name, content,
           found == there.end() ? std::nullopt : std::optional(found->second)});
    }
    for (const auto& [name, content] : there) {
      if (!wanted.contains(name)) {
        files.push_back({fs::path(room.folder) / name, std::nullopt, content});
      }
    }
  }
  // A folder that no room stands behind any more.
  for (int week = 1; week <= 9; week++) {
    const fs::path path = course.root / fmt::format("week{}", week);
    if (!fs::is_directory(path)) continue;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (!entry.is_directory() || folders.contains(entry.path())) continue;
      for (const auto& [name, content] : read_sources(entry.path())) {
        files.push_back({fs::relative(entry.path() / name, course.root),
                         std::nullopt, content});
      }
    }
  }
  return files;
}

void print_difference(const Course& course, const Planned& file) {
  const fs::path wanted = course.build / "starters" / file.path;
  write_if_changed(wanted, file.wanted.value_or(""));
  const fs::path there =
      file.there ? course.root / file.path : fs::path("/dev/null");
  const Finished diff =
      run({"diff", "-u", "--label", file.path.string(), "--label",
           fmt::format("{} as its solution makes it", file.path.string()),
           there.string(), wanted.string()});
  fmt::print("{}", diff.output);
}

// Somebody's own work, which no file of ours replaces unasked.
bool is_edited(const Course& course, const Planned& file) {
  if (!file.there) return false;
  return run({"git", "diff", "--quiet", "HEAD", "--", file.path.string()},
             course.root)
             .status != 0;
}

}  // namespace

std::string generate_starter_file(std::string_view id, std::string_view name,
                                  std::string_view solution) {
  return Generator(id, name).generate(solution);
}

std::map<std::string, std::string> generate_starter(const Room& room) {
  std::map<std::string, std::string> files = read_sources(room.reference);
  bool exercise = false;
  for (auto& [name, content] : files) {
    std::vector<Task> tasks;
    collect_tasks(room.id, content, tasks);
    exercise = exercise || !tasks.empty();
    content = generate_starter_file(
        room.id, fmt::format("solutions/{}/{}", room.folder, name), content);
  }
  if (!exercise) files.clear();
  return files;
}

void collect_tasks(std::string_view id, std::string_view solution,
                   std::vector<Task>& tasks) {
  for (const std::string_view line : lines_of(solution)) {
    const auto marker = parse_marker(line);
    if (!marker || !marker->begin) continue;
    const int number = task_number(id, marker->name);
    if (number == 0) continue;
    auto task = std::ranges::find(tasks, number, &Task::number);
    if (task == tasks.end()) {
      tasks.push_back({.number = number, .labels = {}});
      task = tasks.end() - 1;
    }
    task->labels.emplace_back(marker->label);
  }
  std::ranges::sort(tasks, {}, &Task::number);
}

int command_starters(const Course& course, std::span<const std::string> args) {
  const bool check = std::ranges::find(args, "--check") != args.end();
  const bool force = std::ranges::find(args, "--force") != args.end();
  for (const std::string& arg : args) {
    if (arg != "--check" && arg != "--force") {
      fmt::print(stderr, "starters: unknown argument '{}'\n", arg);
      return 2;
    }
  }
  try {
    const std::vector<Planned> files = plan(course);
    int refused = 0;
    std::size_t changed = 0;
    for (const Planned& file : files) {
      if (!file.differs()) continue;
      changed++;
      if (check) {
        print_difference(course, file);
      } else if (!force && is_edited(course, file)) {
        refused++;
        fmt::print(
            "kept {}: it has changes that git does not know "
            "(--force replaces it)\n",
            file.path.string());
      } else if (file.wanted) {
        write_if_changed(course.root / file.path, *file.wanted);
        fmt::print("wrote {}\n", file.path.string());
      } else {
        fs::remove(course.root / file.path);
        fmt::print("removed {}\n", file.path.string());
      }
    }
    fmt::print("{} starter files, {} {}\n", files.size(), changed,
               check ? "differ" : "changed");
    return (check && changed > 0) || refused > 0 ? 1 : 0;
  } catch (const StarterError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

}  // namespace lsm::course
