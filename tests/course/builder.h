// Building with CMake, and making what a compiler says readable.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rooms.h"

namespace lsm::course {

struct Built {
  bool ok = false;
  std::string output;
  double seconds = 0;
};

// Configures `folder` with these -D definitions; nothing when that is what it
// was configured with. Generator, compiler and launcher are those of
// build/course.
Built configure(const Course& course, const std::filesystem::path& folder,
                const std::vector<std::string>& definitions);

// Builds the targets in a configured folder. One build at a time in a folder:
// a second one (another terminal) waits. `step` hears of progress: "[3/17]".
Built build(const std::filesystem::path& folder,
            const std::vector<std::string>& targets,
            const std::function<void(std::string_view step)>& step = {});

struct CompileError {
  std::string file;  // relative to the checkout when inside it
  std::size_t line = 0;
  std::string message;
  std::vector<std::string> source;  // the lines the compiler showed for it
  bool mine = false;                // in the learner's room
};

// The errors in the output of GCC, Clang or a linker: the learner's first,
// otherwise in the compiler's order.
std::vector<CompileError> compile_errors(std::string_view output,
                                         const std::filesystem::path& root,
                                         std::string_view room_folder);

// The end of an output that held no error we know.
std::string last_lines(std::string_view text, std::size_t count);

// `path` relative to the checkout when it is inside it.
std::string shown_path(std::string_view path,
                       const std::filesystem::path& root);

}  // namespace lsm::course
