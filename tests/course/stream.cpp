#include "stream.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace lsm::course {
namespace {

struct Pipe {
  std::array<int, 2> ends = {-1, -1};
  Pipe() {
    if (pipe(ends.data()) != 0) ends = {-1, -1};
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

}  // namespace

Streamed stream(const std::vector<std::string>& argv,
                std::chrono::milliseconds limit,
                const std::function<bool(std::string_view)>& progress) {
  Streamed result;
  Pipe output;
  Pipe errors;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, errors.ends[1], 2);
  for (const Pipe* pipe : {&output, &errors}) {
    for (const int end : pipe->ends) {
      posix_spawn_file_actions_addclose(&actions, end);
    }
  }
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr,
                                  arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    result.errors = argv[0] + ": " + std::strerror(failed);
    return result;
  }
  output.close_end(1);
  errors.close_end(1);

  using Clock = std::chrono::steady_clock;
  Clock::time_point deadline = Clock::now() + limit;
  std::array<char, 16384> buffer;
  while (output.ends[0] >= 0 || errors.ends[0] >= 0) {
    std::array<pollfd, 2> ready = {
        {{output.ends[0], POLLIN, 0}, {errors.ends[0], POLLIN, 0}}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - Clock::now());
    const int count = left.count() <= 0 ? 0
                                        : poll(ready.data(), ready.size(),
                                               static_cast<int>(left.count()));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      result.timed_out = true;
      kill(child, SIGKILL);
      break;
    }
    bool wrote = false;
    for (std::size_t i = 0; i < ready.size(); i++) {
      if (ready[i].revents == 0) continue;
      const ssize_t got = read(ready[i].fd, buffer.data(), buffer.size());
      if (got > 0) {
        (i == 0 ? result.output : result.errors)
            .append(buffer.data(), static_cast<std::size_t>(got));
        wrote = wrote || i == 0;
      } else {
        (i == 0 ? output : errors).close_end(0);
      }
    }
    if (wrote && progress(result.output)) deadline = Clock::now() + limit;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

}  // namespace lsm::course
