// Runs the program `lsm` as a user does: arguments, stdin, exit status, output.
//
//   const Ran ran = run_tool({"get", path}, "the input");
//   CHECK_SAME(ran.status, 0);
//
// And a writer that is meant to be killed: its acknowledgements come through a
// pipe, so that a test waits for what was done and never for time.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temp_dir.h"

extern char** environ;

namespace lsm::test {

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void spill(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// Which files of this process the tool gets as 0, 1 and 2.
inline pid_t spawn_tool(std::vector<std::string> args, int in, int out, int err,
                        const std::string& program = LSM_TOOL_PATH) {
  args.insert(args.begin(), program);
  std::vector<char*> argv;
  for (std::string& arg : args)
    argv.push_back(arg.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, 1);
  ::posix_spawn_file_actions_adddup2(&actions, err, 2);
  pid_t process = -1;
  const int failed =
      ::posix_spawn(&process, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + args[0]);
  return process;
}

// The exit status; a signal counts as 128 and its number, as in a shell.
inline int wait_for_end(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

inline Ran run_tool(const std::vector<std::string>& args,
                    const std::string& input = {},
                    const std::string& program = LSM_TOOL_PATH) {
  const TempDir dir;
  spill(dir / "in", input);
  const int in = ::open((dir / "in").c_str(), O_RDONLY | O_CLOEXEC);
  const auto create = [&](const char* name) {
    return ::open((dir / name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  };
  const int out = create("out");
  const int err = create("err");
  const pid_t process = spawn_tool(args, in, out, err, program);
  for (const int descriptor : {in, out, err})
    ::close(descriptor);
  Ran ran;
  ran.status = wait_for_end(process);
  ran.out = slurp(dir / "out");
  ran.err = slurp(dir / "err");
  return ran;
}

// `lsm writer … --report 1`, to be killed.
class Writer {
 public:
  explicit Writer(std::vector<std::string> args) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    args.insert(args.begin(), "writer");
    args.insert(args.end(), {"--report", "1"});
    process_ = spawn_tool(std::move(args), 0, pipe[1], 2);
    ::close(pipe[1]);
    pipe_ = pipe[0];
  }
  ~Writer() {
    if (process_ > 0) kill_and_drain();
    ::close(pipe_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  pid_t process() const { return process_; }
  // The last acknowledged step that was heard of; nothing before the first
  // line, which comes when the store is open and nothing is written yet.
  std::optional<std::uint64_t> acknowledged() const { return last_; }

  // False when the writer ended first.
  bool wait_for(std::uint64_t step) {
    while (!last_ || *last_ < step) {
      if (!read_some()) return false;
    }
    return true;
  }

  // What it said before it died is still in the pipe.
  void kill_and_drain() {
    ::kill(process_, SIGKILL);
    while (read_some()) {
    }
    wait_for_end(process_);
    process_ = -1;
  }

 private:
  bool read_some() {
    char bytes[4096];
    ssize_t got = 0;
    do {
      got = ::read(pipe_, bytes, sizeof bytes);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    for (ssize_t i = 0; i < got; ++i) {
      if (bytes[i] != '\n') {
        line_ += bytes[i];
      } else {
        last_ = std::strtoull(line_.c_str(), nullptr, 10);
        line_.clear();
      }
    }
    return true;
  }

  pid_t process_ = -1;
  int pipe_ = -1;
  std::string line_;
  std::optional<std::uint64_t> last_;
};

}  // namespace lsm::test
