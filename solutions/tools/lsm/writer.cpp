// `lsm writer`: a program that is meant to be killed. After every step that
// the store acknowledged, its number goes down the pipe as one line, so that
// whoever killed the writer knows what must be there.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "commands.h"
#include "steps.h"
#include "text.h"

namespace lsm::tool {
namespace {

// One write(2) of a short line, so a pipe gets it whole or not at all.
Result<void> tell(int descriptor, std::uint64_t number) {
  const std::string line = fmt::format("{}\n", number);
  while (::write(descriptor, line.data(), line.size()) < 0) {
    if (errno == EINTR) continue;
    return fail(Code::io, fmt::format("--report {}: {}", descriptor,
                                      std::strerror(errno)));
  }
  return {};
}

}  // namespace

Result<std::uint64_t> steps_done(Db& db) {
  LSM_ASSIGN_OR_RETURN(const auto value, db.get(kStepKey));
  if (!value) return 0;
  std::uint64_t number = 0;
  const char* limit = value->data() + value->size();
  const auto [end, error] = std::from_chars(value->data(), limit, number);
  if (error != std::errc{} || end != limit) {
    return fail(
        Code::invalid_argument,
        fmt::format("{} = {} is no step number", kStepKey, show_value(*value)));
  }
  return number;
}

Result<std::uint64_t> write_steps(Db& db, const WriterArgs& args) {
  LSM_ASSIGN_OR_RETURN(const std::uint64_t first, steps_done(db));
  if (args.report_fd >= 0) LSM_TRY(tell(args.report_fd, first));
  WriteBatch batch;
  for (std::uint64_t i = first; i < args.ops; ++i) {
    make_step(args.seed, i, args.shape, batch);
    const bool sync = args.sync_every > 0 && (i + 1) % args.sync_every == 0;
    LSM_TRY(db.write(batch, {.sync = sync}));
    if (args.report_fd >= 0) LSM_TRY(tell(args.report_fd, i + 1));
  }
  return args.ops - std::min(first, args.ops);
}

int run_writer(const WriterArgs& args, const Options& options) {
  auto db = open_store(args.path, options, true);
  if (!db) return report(args.path, db.error());
  const auto written = write_steps(**db, args);
  if (!written) return report(args.path, written.error());
  if (const auto closed = (*db)->close(); !closed) {
    return report(args.path, closed.error());
  }
  fmt::print("wrote {}\n", plural(*written, "step"));
  return 0;
}

}  // namespace lsm::tool
