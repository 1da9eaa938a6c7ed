// `lsm demo`: the whole engine in half a minute, on data that means something.
#include <fmt/format.h>
#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "base/file_names.h"
#include "base/posix_file_system.h"
#include "child_writer.h"
#include "commands.h"
#include "log_walk.h"
#include "manifest.h"
#include "scan.h"
#include "stats.h"
#include "text.h"
#include "tsv.h"

namespace lsm::tool {
namespace {

using Rows = std::map<std::string, std::string>;

constexpr std::uint64_t kStepsAtLeast = 30'000;  // before the kill
constexpr std::uint64_t kStepsAtMost = 60'000;
constexpr std::uint64_t kStepsAfter = 30'000;
constexpr std::size_t kColumns = 76;

// Small buffers, so that a tree grows within seconds.
Options demo_options() {
  Options options;
  options.write_buffer_size_bytes = 2 << 20;
  options.target_file_size_bytes = 1 << 20;
  options.base_level_size_bytes = 2 << 20;
  options.level_size_multiplier = 4;
  return options;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

class Demo {
 public:
  Demo(std::string path, std::string tsv, std::uint64_t seed)
      : path_(std::move(path)), tsv_(std::move(tsv)) {
    writer_.path = path_;
    writer_.seed = seed;
    writer_.shape = {
        .keys = 100'000, .largest_batch = 8, .largest_value_bytes = 300};
  }

  Result<void> run() {
    LSM_TRY(load());
    LSM_TRY(ask());
    LSM_TRY(scan_both_ways());
    LSM_TRY(kill_a_writer());
    LSM_TRY(open_again());
    LSM_TRY(verify());
    LSM_TRY(go_on());
    return look_inside();
  }

 private:
  Result<void> load();
  Result<void> ask();
  Result<void> scan_both_ways();
  Result<void> kill_a_writer();
  Result<void> show_logs();
  Result<void> open_again();
  Result<void> verify();
  Result<void> go_on();
  Result<void> look_inside();

  void title(std::string_view text) {
    fmt::print("\n{}  {}\n", ++part_, text);
    std::fflush(stdout);
  }
  static void say(const std::string& text) {
    fmt::print("   {}\n", text);
    std::fflush(stdout);
  }
  Result<void> open(bool is_new) {
    Options options = demo_options();
    options.error_if_exists = is_new;
    LSM_ASSIGN_OR_RETURN(db_, Db::open(path_, options));
    return {};
  }
  Result<void> close() {
    LSM_TRY(db_->close());
    db_.reset();  // its threads are gone
    return {};
  }
  Result<void> compare(const Rows& expected, bool backward);

  const std::string path_;
  const std::string tsv_;
  WriterArgs writer_;
  std::unique_ptr<Db> db_;
  int part_ = 0;
  Rows characters_;
  std::uint64_t acknowledged_ = 0;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<void> Demo::load() {
  title("Load the characters of Unicode, one row each");
  const std::unique_ptr<std::FILE, CloseFile> file(
      std::fopen(tsv_.c_str(), "rb"));
  if (!file) return fail(Code::not_found, tsv_ + ": cannot be opened");
  LSM_TRY(open(true));
  TsvReader reader(file.get(), tsv_);
  const Stopwatch watch;
  WriteBatch batch;
  std::uint64_t bytes = 0;
  TsvRow row;
  for (bool more = true; more;) {
    LSM_ASSIGN_OR_RETURN(more, reader.next(row));
    if (more) {
      batch.put(row.key, row.value);
      characters_.insert_or_assign(row.key, row.value);
    }
    if (!more || batch.count() == 1000) {
      bytes += batch.size_bytes();
      LSM_TRY(db_->write(batch));
      batch.clear();
    }
  }
  LSM_TRY(db_->sync());
  say(fmt::format("{}, {}, in {}", plural(characters_.size(), "row"),
                  show_bytes(bytes), show_seconds(watch.seconds())));
  return {};
}

Result<void> Demo::ask() {
  title("Ask for one");
  LSM_ASSIGN_OR_RETURN(const auto value, db_->get("U+1F600"));
  say("get U+1F600");
  say("  " + shorten(value ? show_value(*value) : "(absent)", kColumns - 4));
  return {};
}

Result<void> Demo::scan_both_ways() {
  title("Scan the block of arrows, in both directions");
  for (const bool reverse : {false, true}) {
    say(fmt::format("scan U+2190 U+2200{}", reverse ? " --reverse" : ""));
    const ScanArgs arrows{
        .from = "U+2190", .to = "U+2200", .reverse = reverse, .limit = {}};
    constexpr std::uint64_t kShown = 4;
    std::uint64_t seen = 0;
    LSM_ASSIGN_OR_RETURN(
        const std::uint64_t rows,
        scan_rows(*db_, arrows,
                  [&](std::string_view key, std::string_view value) {
                    if (++seen > kShown) return;
                    say("  " + shorten(show_key(key) + "  " + show_value(value),
                                       kColumns - 4));
                  }));
    if (rows > kShown) say(fmt::format("  … {} more", rows - kShown));
  }
  return close();
}

Result<void> Demo::kill_a_writer() {
  title("Kill a heavier load in the middle");
  std::mt19937_64 random(writer_.seed);
  const std::uint64_t stop =
      kStepsAtLeast + random() % (kStepsAtMost - kStepsAtLeast);
  say("Another process writes batches of puts and removes into the store. It");
  say("tells after each that the store has acknowledged it; nothing is "
      "synced.");
  writer_.ops = UINT64_MAX;
  const Stopwatch watch;
  LSM_ASSIGN_OR_RETURN(auto child, ChildWriter::start(writer_, demo_options()));
  LSM_TRY(child.wait_for(stop));
  LSM_ASSIGN_OR_RETURN(acknowledged_, child.kill_and_drain());
  say(fmt::format("SIGKILL after {} acknowledged batches, {} (--seed {}).",
                  show_count(acknowledged_), show_seconds(watch.seconds()),
                  writer_.seed));
  return show_logs();
}

// What only the logs hold: all that was in the memory of the killed process.
Result<void> Demo::show_logs() {
  FileSystem& fs = posix_file_system();
  LSM_ASSIGN_OR_RETURN(const auto state, read_manifest(fs, path_));
  if (!state) return fail(Code::internal, path_ + ": no manifest");
  LSM_ASSIGN_OR_RETURN(const auto names, fs.list(path_));
  say(fmt::format("It left {}, and in logs what its memory held:",
                  plural(state->files.size(), "table")));
  for (const std::string& name : names) {
    const auto file = parse_file_name(name);
    if (!file || file->kind != FileKind::log ||
        file->number < state->oldest_log) {
      continue;
    }
    std::uint64_t batches = 0;
    LSM_ASSIGN_OR_RETURN(
        const LogWalkEnd end,
        walk_log(fs, join_path(path_, name), [&](const LogRecord& record) {
          batches += record.type == RecordType::data;
        }));
    const bool torn = end.why == LogWalkEnd::Why::damaged;
    say(fmt::format("  {}  {}, {}{}", name, plural(batches, "batch"),
                    show_bytes(end.offset),
                    torn ? ", and one that is torn" : ""));
  }
  return {};
}

Result<void> Demo::open_again() {
  title("Open it again");
  const Stopwatch watch;
  LSM_TRY(open(false));
  say(fmt::format("recovered in {}: the logs' batches stand in tables now",
                  show_seconds(watch.seconds())));
  return {};
}

Result<void> Demo::compare(const Rows& expected, bool backward) {
  auto at = expected.begin();
  auto from_end = expected.rbegin();
  bool same = true;
  LSM_ASSIGN_OR_RETURN(
      const std::uint64_t rows,
      scan_rows(*db_, {.from = {}, .to = {}, .reverse = backward, .limit = {}},
                [&](std::string_view key, std::string_view value) {
                  const bool ended = backward ? from_end == expected.rend()
                                              : at == expected.end();
                  if (ended || !same) {
                    same = false;
                    return;
                  }
                  const auto& row = backward ? *from_end++ : *at++;
                  same = row.first == key && row.second == value;
                }));
  if (same && rows == expected.size()) return {};
  return fail(Code::corruption,
              fmt::format("{}: its rows are not what was written (--seed {})",
                          path_, writer_.seed));
}

Result<void> Demo::verify() {
  title("Verify");
  LSM_TRY(db_->verify());
  say("✓ every block of every table has its checksum, in order");
  LSM_ASSIGN_OR_RETURN(const std::uint64_t held, steps_done(*db_));
  if (held < acknowledged_ || held > acknowledged_ + 1) {
    return fail(Code::corruption,
                fmt::format("{}: holds {} batches; {} were acknowledged", path_,
                            held, acknowledged_));
  }
  say(fmt::format("✓ {} batches were acknowledged, {} are there{}",
                  show_count(acknowledged_), show_count(held),
                  held > acknowledged_ ? ": one more was in the log" : ""));
  Rows expected = characters_;
  WriteBatch batch;
  for (std::uint64_t i = 0; i < held; ++i) {
    make_step(writer_.seed, i, writer_.shape, batch);
    apply_step(batch, expected);
  }
  LSM_TRY(compare(expected, false));
  LSM_TRY(compare(expected, true));
  say(fmt::format("✓ all {} are what they must be, forward and backward",
                  plural(expected.size(), "row")));
  return {};
}

Result<void> Demo::go_on() {
  title("Go on where it stopped");
  LSM_ASSIGN_OR_RETURN(const std::uint64_t held, steps_done(*db_));
  writer_.ops = held + kStepsAfter;
  const Stopwatch watch;
  LSM_ASSIGN_OR_RETURN(const std::uint64_t written, write_steps(*db_, writer_));
  say(fmt::format("{} more, in {}", plural(written, "batch"),
                  show_seconds(watch.seconds())));
  const Stopwatch settling;
  LSM_TRY(db_->wait_idle());
  say(fmt::format("background work done {} later",
                  show_seconds(settling.seconds())));
  return {};
}

Result<void> Demo::look_inside() {
  title("The tree");
  const Stats stats = db_->stats();
  fmt::print("{}\n{}", levels_text(stats), amplification_text(stats));
  return close();
}

Result<std::string> make_folder(const std::string& keep) {
  if (!keep.empty()) return keep;
  std::error_code ignored;
  std::string path =
      (std::filesystem::temp_directory_path(ignored) / "lsm-demo-XXXXXX")
          .string();
  if (::mkdtemp(path.data()) != nullptr) return path;
  return fail(Code::io, path + ": cannot make a temporary folder");
}

}  // namespace

int run_demo(const DemoArgs& args) {
  const auto path = make_folder(args.keep);
  if (!path) return report("", path.error());
  const std::uint64_t seed =
      args.seed ? *args.seed : std::random_device()() % 100'000;
  fmt::print("Mini LSM on real data. The store: {}\n", *path);
  const Result<void> done =
      Demo(*path, args.tsv.empty() ? LSM_DEMO_TSV : args.tsv, seed).run();
  if (args.keep.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(*path, ignored);
  } else if (done) {
    fmt::print("\nKept. Talk to it: lsm shell {}\n", *path);
  }
  return done ? 0 : report(*path, done.error());
}

}  // namespace lsm::tool
