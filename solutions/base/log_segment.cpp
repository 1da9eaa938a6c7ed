#include "base/log_segment.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lsm {
namespace {

constexpr std::uint64_t kLargestWindowBytes = 4 << 20;
constexpr std::uint64_t kWindowsPerStep = 4;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

LogSegment::LogSegment(FileSystem& fs, std::string path,
                       std::unique_ptr<File> file, std::size_t window_bytes)
    : fs_(fs),
      path_(std::move(path)),
      file_(std::move(file)),
      window_bytes_(window_bytes) {}

Result<std::unique_ptr<LogSegment>> LogSegment::create(
    FileSystem& fs, std::string path, std::uint64_t expected_bytes) {
  LSM_ASSIGN_OR_RETURN(auto file, fs.open(path, FileSystem::Mode::create));
  const std::uint64_t window_bytes = round_up(
      std::clamp(expected_bytes, std::uint64_t{1}, kLargestWindowBytes),
      kWindowAlignment);
  std::unique_ptr<LogSegment> segment(
      new LogSegment(fs, std::move(path), std::move(file),
                     static_cast<std::size_t>(window_bytes)));
  const Result<void> allocated = segment->allocate_for(1);
  if (!allocated && allocated.error().code == Code::not_supported) {
    segment->mapped_ = false;
  } else {
    LSM_TRY(allocated);
  }
  return segment;
}

Result<void> LogSegment::append(std::string_view bytes) {
  if (error_) return std::unexpected(*error_);
  if (bytes.empty()) return {};
  if (!mapped_) {
    LSM_TRY(keep_error(file_->append(bytes)));
  } else if (bytes.size() <= target_.size() - (size_ - window_begin_)) {
    std::memcpy(target_.data() + (size_ - window_begin_), bytes.data(),
                bytes.size());
    fs_.count_mapped(bytes.size());
  } else {
    LSM_TRY(keep_error(copy_into_windows(bytes)));
    fs_.count_mapped(bytes.size());
  }
  size_ += bytes.size();  // acknowledged
  return {};
}

// The bytes begin in this window and end in a later one. All space comes
// first, so that a full disk stores nothing.
Result<void> LogSegment::copy_into_windows(std::string_view bytes) {
  LSM_TRY(allocate_for(size_ + bytes.size()));
  std::uint64_t at = size_;
  while (!bytes.empty()) {
    if (at == window_begin_ + target_.size()) LSM_TRY(map_window(at));
    const std::size_t used = static_cast<std::size_t>(at - window_begin_);
    const std::size_t count = std::min(bytes.size(), target_.size() - used);
    std::memcpy(target_.data() + used, bytes.data(), count);
    bytes.remove_prefix(count);
    at += count;
  }
  return {};
}

Result<void> LogSegment::allocate_for(std::uint64_t end) {
  if (end <= allocated_) return {};
  const std::uint64_t wanted = round_up(end, kWindowsPerStep * window_bytes_);
  LSM_TRY(file_->allocate(wanted));
  allocated_ = wanted;
  return {};
}

Result<void> LogSegment::map_window(std::uint64_t offset) {
  window_.reset();
  target_ = {};
  LSM_ASSIGN_OR_RETURN(window_, file_->map(offset, window_bytes_));
  window_begin_ = offset;
  target_ = window_->bytes();
  return {};
}

Result<void> LogSegment::sync() {
  if (error_) return std::unexpected(*error_);
  return keep_error(file_->sync());
}

Result<void> LogSegment::close() {
  if (!file_) return {};
  window_.reset();
  target_ = {};
  Result<void> cut;
  if (mapped_ && !error_) cut = file_->truncate(size_);
  const Result<void> closed = file_->close();
  file_.reset();
  if (!error_ && !cut) error_ = cut.error();
  if (!error_ && !closed) error_ = closed.error();
  if (error_) return std::unexpected(*error_);
  error_ = Error{Code::closed, path_ + ": the log is closed"};
  return {};
}

Result<void> LogSegment::keep_error(Result<void> result) {
  if (!result) error_ = result.error();
  return result;
}

}  // namespace lsm
