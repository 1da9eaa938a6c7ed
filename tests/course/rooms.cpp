#include "rooms.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

#include "starter.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  if (!fs::is_directory(folder)) return entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    entries.push_back(entry.path());
  }
  std::ranges::sort(entries);
  return entries;
}

}  // namespace

std::string Room::target_id() const {
  std::string result = id;
  std::ranges::replace(result, '.', '_');
  return result;
}

std::string Room::suite_target(std::string_view side) const {
  return "suite_" + target_id() + "_" + std::string(side);
}

const Room* Course::find(std::string_view id) const {
  const auto found = std::ranges::find(rooms, id, &Room::id);
  return found == rooms.end() ? nullptr : &*found;
}

fs::path Course::suite_binary(const Room& room, std::string_view side) const {
  return build / "suites" / room.suite_target(side);
}

Course discover(const fs::path& root, const fs::path& build) {
  static const std::regex kWeek("week([0-9])");
  static const std::regex kDay("day([0-9])_([a-z0-9_]+)");
  Course course{.root = fs::absolute(root).lexically_normal(),
                .build = fs::absolute(build).lexically_normal(),
                .rooms = {}};
  if (!course.root.has_filename()) course.root = course.root.parent_path();
  for (const fs::path& week : sorted_entries(course.root / "solutions")) {
    const std::string week_name = week.filename().string();
    std::smatch in_week;
    if (!std::regex_match(week_name, in_week, kWeek)) continue;
    for (const fs::path& day : sorted_entries(week)) {
      const std::string day_name = day.filename().string();
      std::smatch in_day;
      if (!fs::is_directory(day)) continue;
      if (!std::regex_match(day_name, in_day, kDay)) continue;
      Room room;
      room.id = in_week.str(1) + "." + in_day.str(1);
      room.week = std::stoi(in_week.str(1));
      room.day = std::stoi(in_day.str(1));
      room.name = in_day.str(2);
      room.folder = week_name + "/" + day_name;
      room.reference = day;
      room.mine = course.root / room.folder;
      room.suite = course.root / "tests" / (room.folder + "_test.cpp");
      room.mutants = course.root / "tests/mutants" / room.folder;
      const fs::path book = course.root / "book/src" / week_name;
      room.page = book / ("day" + in_day.str(1) + ".md");
      room.hints = book / ("day" + in_day.str(1) + "_hints.md");
      for (const auto& [name, content] : read_sources(day)) {
        collect_tasks(room.id, content, room.tasks);
      }
      course.rooms.push_back(std::move(room));
    }
  }
  return course;
}

bool is_changed(const Room& room) {
  if (!room.has_starter()) return false;
  try {
    return read_sources(room.mine) != generate_starter(room);
  } catch (const StarterError&) {
    return true;  // no starter to be like
  }
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return content;
}

bool write_if_changed(const fs::path& path, std::string_view content) {
  if (fs::is_regular_file(path) && read_file(path) == content) return false;
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
  return true;
}

std::map<std::string, std::string> read_sources(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const fs::path& path : sorted_entries(folder)) {
    const std::string extension = path.extension().string();
    if (extension == ".h" || extension == ".cpp") {
      files[path.filename().string()] = read_file(path);
    }
  }
  return files;
}

}  // namespace lsm::course
