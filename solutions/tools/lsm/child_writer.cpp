#include "child_writer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lsm::tool {
namespace {

std::unexpected<Error> os_error(const std::string& what) {
  return fail(Code::io, what + ": " + std::strerror(errno));
}

}  // namespace

Result<ChildWriter> ChildWriter::start(WriterArgs args,
                                       const Options& options) {
  std::array<int, 2> pipe;
  if (::pipe(pipe.data()) != 0) return os_error("pipe");
  std::fflush(stdout);
  const pid_t process = ::fork();
  if (process < 0) return os_error("fork");
  if (process == 0) {
    ::close(pipe[0]);
    args.report_fd = pipe[1];
    const int status = run_writer(args, options);
    std::_Exit(status);  // the parent's buffers and handlers are not ours
  }
  ::close(pipe[1]);
  return ChildWriter(process, pipe[0]);
}

ChildWriter::~ChildWriter() {
  if (process_ > 0) (void)kill_and_drain();
  if (pipe_ >= 0) ::close(pipe_);
}

Result<bool> ChildWriter::read_some() {
  std::array<char, 4096> bytes;
  ssize_t got = 0;
  do {
    got = ::read(pipe_, bytes.data(), bytes.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return os_error("read the writer's pipe");
  part_.append(bytes.data(), static_cast<std::size_t>(got));
  const std::size_t end = part_.rfind('\n');
  if (end != part_.npos) {
    const std::size_t begin = end == 0 ? 0 : part_.rfind('\n', end - 1) + 1;
    last_ = std::strtoull(part_.c_str() + begin, nullptr, 10);
    part_.erase(0, end + 1);
  }
  return got > 0;
}

Result<void> ChildWriter::wait_for(std::uint64_t number) {
  while (last_ < number) {
    LSM_ASSIGN_OR_RETURN(const bool more, read_some());
    if (!more) return fail(Code::io, "the writer ended before it was killed");
  }
  return {};
}

Result<std::uint64_t> ChildWriter::kill_and_drain() {
  ::kill(process_, SIGKILL);
  for (;;) {
    LSM_ASSIGN_OR_RETURN(const bool more, read_some());
    if (!more) break;
  }
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return last_;
}

}  // namespace lsm::tool
