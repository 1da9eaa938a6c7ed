#include "builder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <regex>
#include <sstream>

#include "process.h"
#include "stream.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kLongestBuildStep{30};

// Holds <folder>/.lock; the launcher takes the same one.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : file_(open((folder / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC,
                   0644)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (file_ >= 0) close(file_);
  }

 private:
  int file_;
};

// NAME:TYPE=VALUE lines of a CMakeCache.txt.
std::map<std::string, std::string> read_cache(const fs::path& folder) {
  std::map<std::string, std::string> result;
  const fs::path path = folder / "CMakeCache.txt";
  if (!fs::is_regular_file(path)) return result;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || line.starts_with('/') ||
        colon == std::string::npos || equals == std::string::npos) {
      continue;
    }
    result[line.substr(0, colon)] = line.substr(equals + 1);
  }
  return result;
}

Built timed(const std::vector<std::string>& argv) {
  const auto begin = Clock::now();
  const Finished finished = run(argv);
  return {
      .ok = finished.status == 0,
      .output = finished.output + finished.errors,
      .seconds = std::chrono::duration<double>(Clock::now() - begin).count()};
}

// Ninja's and make's words for a target they do not know.
bool lacks_target(const Streamed& streamed) {
  return (streamed.output + streamed.errors).find("unknown target") !=
             std::string::npos ||
         streamed.errors.find("No rule to make target") != std::string::npos;
}

// Lines that show source under a diagnostic: "   12 |   code", "     |  ^".
bool shows_source(const std::string& line) {
  static const std::regex kSource(R"(^\s*\d*\s*\|.*)");
  return std::regex_match(line, kSource);
}

}  // namespace

Built configure(const Course& course, const fs::path& folder,
                const std::vector<std::string>& definitions) {
  std::string wanted = course.root.string();
  for (const std::string& definition : definitions)
    wanted += "\n" + definition;
  const fs::path note = folder / ".configured";
  if (fs::is_regular_file(note) && read_file(note) == wanted) {
    return {.ok = true, .output = {}, .seconds = 0};
  }
  fs::create_directories(folder);
  const FolderLock lock(folder);
  auto cache = read_cache(course.build);
  const auto here = read_cache(folder);
  const auto home = here.find("CMAKE_HOME_DIRECTORY");
  if (home != here.end() && home->second != course.root) {  // a moved checkout
    fs::remove(folder / "CMakeCache.txt");
    fs::remove_all(folder / "CMakeFiles");
  }
  std::vector<std::string> argv = {"cmake", "-S", course.root.string(), "-B",
                                   folder.string()};
  if (cache.contains("CMAKE_GENERATOR")) {
    argv.insert(argv.end(), {"-G", cache["CMAKE_GENERATOR"]});
  }
  for (const char* name :
       {"CMAKE_CXX_COMPILER", "CMAKE_CXX_COMPILER_LAUNCHER"}) {
    if (cache.contains(name) && !cache[name].empty()) {
      argv.push_back(fmt::format("-D{}={}", name, cache[name]));
    }
  }
  for (const std::string& definition : definitions) {
    argv.push_back("-D" + definition);
  }
  Built built = timed(argv);
  if (built.ok) write_if_changed(note, wanted);
  return built;
}

Built build(const fs::path& folder, const std::vector<std::string>& targets,
            const std::function<void(std::string_view)>& step) {
  const FolderLock lock(folder);
  std::vector<std::string> argv = {"cmake",      "--build", folder.string(),
                                   "--parallel", "2",       "--target"};
  argv.insert(argv.end(), targets.begin(), targets.end());
  const auto begin = Clock::now();
  const auto progress = [&](std::string_view output) {
    const std::size_t at = output.rfind("\n[");
    const std::size_t end = output.find(']', at);
    if (step && at != std::string_view::npos && end != std::string_view::npos) {
      step(output.substr(at + 1, end - at));
    }
    return true;
  };
  Streamed streamed = stream(argv, kLongestBuildStep, progress);
  if (streamed.status != 0 && lacks_target(streamed)) {
    // A room that came after the folder was configured.
    timed({"cmake", folder.string()});
    streamed = stream(argv, kLongestBuildStep, progress);
  }
  return {
      .ok = streamed.status == 0,
      .output = streamed.output + streamed.errors,
      .seconds = std::chrono::duration<double>(Clock::now() - begin).count()};
}

std::string shown_path(std::string_view path, const fs::path& root) {
  const fs::path relative = fs::path(path).lexically_relative(root);
  const std::string text = relative.generic_string();
  return text.empty() || text.starts_with("..") ? std::string(path) : text;
}

std::vector<CompileError> compile_errors(std::string_view output,
                                         const fs::path& root,
                                         std::string_view room_folder) {
  static const std::regex kError(
      R"(^(.+?):(\d+)(?::\d+)?: (?:fatal )?error: (.*)$)");
  static const std::regex kUndefined(
      R"(undefined (?:reference to|symbol:?) [`']?([^'\n]+)'?)");
  std::vector<CompileError> result;
  std::vector<std::string> undefined;
  std::istringstream lines{std::string(output)};
  bool taking_source = false;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kError)) {
      CompileError error;
      error.file = shown_path(match[1].str(), root);
      error.line = std::stoul(match[2].str());
      error.message = match[3].str();
      error.mine = error.file.starts_with(room_folder);
      const bool known = std::ranges::any_of(result, [&](const auto& other) {
        return other.file == error.file && other.line == error.line &&
               other.message == error.message;
      });
      if (!known) result.push_back(error);
      taking_source = !known;
    } else if (taking_source && shows_source(line)) {
      if (result.back().source.size() < 4) result.back().source.push_back(line);
    } else if (std::regex_search(line, match, kUndefined)) {
      if (std::ranges::find(undefined, match[1].str()) == undefined.end()) {
        undefined.push_back(match[1].str());
      }
    } else {
      taking_source = false;
    }
  }
  for (const std::string& name : undefined) {
    result.push_back({.file = std::string(room_folder),
                      .line = 0,
                      .message = "declared but not defined: " + name,
                      .source = {},
                      .mine = true});
  }
  std::vector<CompileError> mine_first;
  for (const bool mine : {true, false}) {
    for (const CompileError& error : result) {
      if (error.mine == mine) mine_first.push_back(error);
    }
  }
  return mine_first;
}

std::string last_lines(std::string_view text, std::size_t count) {
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  std::size_t at = text.size();
  while (count-- > 0 && at != std::string_view::npos && at > 0) {
    at = text.rfind('\n', at - 1);
  }
  return std::string(
      at == std::string_view::npos || at == 0 ? text : text.substr(at + 1));
}

}  // namespace lsm::course
