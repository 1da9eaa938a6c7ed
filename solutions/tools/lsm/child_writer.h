// A writer (writer.cpp) in a process of its own, to be killed in the middle.
// Its acknowledgements arrive through a pipe, which outlives it: what it said
// before it died can still be read.
//
//   parent                      child
//     start ──────fork──────►  open the store
//     wait_for(1000)  ◄─pipe──  "998\n" "999\n" "1000\n" "1001\n" …
//     kill_and_drain ─SIGKILL─►  ✗
//       last acknowledged: 1007
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"
#include "commands.h"

namespace lsm::tool {

class ChildWriter {
 public:
  // The calling process must have no other threads: it is forked.
  static Result<ChildWriter> start(WriterArgs args, const Options& options);
  ~ChildWriter();  // kills what still runs
  ChildWriter(ChildWriter&& other) noexcept
      : process_(std::exchange(other.process_, -1)),
        pipe_(std::exchange(other.pipe_, -1)),
        last_(other.last_),
        part_(std::move(other.part_)) {}
  ChildWriter(const ChildWriter&) = delete;
  ChildWriter& operator=(const ChildWriter&) = delete;

  // Reads until step `number` is acknowledged. Errors: io, the child ended.
  Result<void> wait_for(std::uint64_t number);
  // SIGKILL, then all that is left in the pipe. Returns the last acknowledged
  // step.
  Result<std::uint64_t> kill_and_drain();

 private:
  ChildWriter(pid_t process, int pipe) : process_(process), pipe_(pipe) {}
  // False at the end of the pipe.
  Result<bool> read_some();

  pid_t process_;
  int pipe_;
  std::uint64_t last_ = 0;
  std::string part_;  // of a line
};

}  // namespace lsm::tool
