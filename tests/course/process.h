// Starting another program: through posix_spawn, never through a shell, so
// that a path with a space or a quote is only a path.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace lsm::course {

enum class Capture {
  no,   // the program writes to our own stdout and stderr
  yes,  // what it writes is returned; its stdin is /dev/null
};

struct Finished {
  int status = 0;          // exit status; 128 + n when signal n ended it;
                           // 127 when the program could not be started
  bool timed_out = false;  // it was killed (SIGKILL) with all its children
  std::string output;      // stdout, when captured
  std::string errors;      // stderr, when captured; why it could not start
};

// Runs argv[0] (sought in PATH) in `folder` (empty: here) and waits. With a
// timeout above zero, the program's whole process group is killed when it is
// over.
Finished run(const std::vector<std::string>& argv,
             const std::filesystem::path& folder = {},
             std::chrono::milliseconds timeout = {},
             Capture capture = Capture::yes);

}  // namespace lsm::course
