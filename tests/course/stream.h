// Running a program while reading what it writes, with a time limit that
// starts anew whenever the reader says that there was progress.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lsm::course {

struct Streamed {
  std::string output;
  std::string errors;
  int status = -1;         // exit status, when it ended by itself
  int signal = 0;          // the signal that ended it
  bool timed_out = false;  // `limit` passed without progress; it was killed
};

// Calls `progress(output so far)` whenever the program wrote to stdout; true
// starts the limit anew. The program shares our process group, so an interrupt
// at the terminal ends both.
Streamed stream(const std::vector<std::string>& argv,
                std::chrono::milliseconds limit,
                const std::function<bool(std::string_view)>& progress);

}  // namespace lsm::course
