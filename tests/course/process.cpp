#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

extern char** environ;

namespace lsm::course {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    if (pipe(ends.data()) != 0) ends = {-1, -1};
    for (const int end : ends)
      fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_end(std::size_t end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }

  std::array<int, 2> ends = {-1, -1};
};

int status_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return 128 + WTERMSIG(wait_status);
  return WEXITSTATUS(wait_status);
}

// Milliseconds until `deadline`, at most `most`, for poll.
int wait_time(std::optional<Clock::time_point> deadline, int most) {
  if (!deadline) return most;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      *deadline - Clock::now());
  return std::clamp(static_cast<int>(left.count()), 0, most);
}

}  // namespace

Finished run(const std::vector<std::string>& argv,
             const std::filesystem::path& folder,
             std::chrono::milliseconds timeout, Capture capture) {
  const bool captured = capture == Capture::yes;
  const bool limited = timeout.count() > 0;
  Pipe output;
  Pipe errors;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (captured) {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, errors.ends[1], 2);
  }
  if (!folder.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  }
  // A program with a time limit leads a group of its own, so that its children
  // die with it; one without stays in ours and hears the terminal's Ctrl-C.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (limited) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
  }

  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, &attributes,
                                 arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  Finished finished;
  if (error != 0) {
    finished.status = 127;
    finished.errors = argv[0] + ": " + std::strerror(error);
    return finished;
  }
  output.close_end(1);
  errors.close_end(1);

  std::optional<Clock::time_point> deadline;
  if (limited) deadline = Clock::now() + timeout;
  // Read both pipes until they close; a child of the child that keeps them
  // open does not keep us, because the program's own end is asked for too.
  std::array<std::pair<Pipe*, std::string*>, 2> streams = {
      {{&output, &finished.output}, {&errors, &finished.errors}}};
  int wait_status = 0;
  bool ended = false;
  constexpr int kLookEveryMs = 20;
  while (true) {
    std::array<pollfd, 2> waiting = {};
    nfds_t open = 0;
    for (std::size_t i = 0; captured && i < streams.size(); i++) {
      waiting[i] = {streams[i].first->ends[0], POLLIN, 0};
      if (waiting[i].fd >= 0) open++;
    }
    if (open == 0 && !limited) break;  // waitpid below may block
    if (!ended) ended = waitpid(child, &wait_status, WNOHANG) == child;
    const int ready = poll(waiting.data(), waiting.size(),
                           ended ? 0 : wait_time(deadline, kLookEveryMs));
    if (ended && ready <= 0) break;
    for (std::size_t i = 0; ready > 0 && i < streams.size(); i++) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      std::array<char, 1 << 14> buffer;
      const ssize_t count = read(waiting[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        streams[i].second->append(buffer.data(),
                                  static_cast<std::size_t>(count));
      } else if (count == 0 || errno != EINTR) {
        streams[i].first->close_end(0);
      }
    }
    if (!ended && deadline && Clock::now() >= *deadline) {
      kill(-child, SIGKILL);
      finished.timed_out = true;
      deadline.reset();
    }
  }
  while (!ended && waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
  }
  finished.status = status_of(wait_status);
  return finished;
}

}  // namespace lsm::course
