#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "text.h"

namespace lsm::tool {
namespace {

constexpr std::chrono::milliseconds kBetween(100);
constexpr std::size_t kBarColumns = 16;

double per_second(std::uint64_t count, std::chrono::duration<double> time) {
  return static_cast<double>(count) / std::max(time.count(), 1e-6);
}

std::string rates(std::uint64_t rows, std::uint64_t bytes,
                  std::chrono::duration<double> time) {
  return fmt::format(
      "{} rows/s, {}/s",
      show_count(static_cast<std::uint64_t>(per_second(rows, time))),
      show_bytes(static_cast<std::uint64_t>(per_second(bytes, time))));
}

// "L0 3 runs, L6 12.0 MiB": where the tables are.
std::string shape(Db& db) {
  std::string text;
  const Stats stats = db.stats();
  for (std::size_t i = 0; i < stats.levels.size(); ++i) {
    const LevelStats& level = stats.levels[i];
    if (level.tables == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format(
        "L{} {}", i,
        i == 0 ? plural(level.runs, "run") : show_bytes(level.size_bytes));
  }
  return text;
}

}  // namespace

std::string bar(double fraction, std::size_t columns) {
  constexpr const char* kPart[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(
      std::clamp(fraction, 0.0, 1.0) * static_cast<double>(columns * 8)));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i)
    text += "█";
  return text + kPart[eighths % 8];
}

LoadProgress::LoadProgress(Db& db, std::uint64_t total_bytes)
    : db_(db),
      total_bytes_(total_bytes),
      terminal_(::isatty(STDERR_FILENO) != 0) {}

void LoadProgress::show(std::uint64_t bytes_read) {
  const auto now = Clock::now();
  if (!terminal_ || now - shown_ < kBetween) return;
  shown_ = now;
  std::string line;
  if (total_bytes_ > 0) {
    const double done =
        static_cast<double>(bytes_read) / static_cast<double>(total_bytes_);
    const std::string filled = bar(done, kBarColumns);
    line = fmt::format("{:3.0f}% {:<{}} ", std::min(done, 1.0) * 100, filled,
                       kBarColumns);
  }
  line += fmt::format("{} rows, {}  {}", show_count(rows_),
                      rates(rows_, bytes_, now - begin_), shape(db_));
  fmt::print(stderr, "\r\033[K{}", shorten(line, 79));
  std::fflush(stderr);
}

void LoadProgress::finish(const std::string& path) {
  const std::chrono::duration<double> time = Clock::now() - begin_;
  if (terminal_) fmt::print(stderr, "\r\033[K");
  fmt::print(stderr, "{}: loaded {}, {}, in {} ({})\n", path,
             plural(rows_, "row"), show_bytes(bytes_),
             show_seconds(time.count()), rates(rows_, bytes_, time));
}

}  // namespace lsm::tool
