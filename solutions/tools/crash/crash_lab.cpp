#include "tools/crash/crash_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <utility>

#include "base/splitmix.h"
#include "lsm/db.h"
#include "tools/crash/crash_oracle.h"

namespace lsm::crash {
namespace {

constexpr const char* kStore = "db";
constexpr std::size_t kHistoryShown = 24;

std::string to_string(const SimOperation& operation) {
  std::string text = fmt::format("{:>7}  {} {}", operation.number,
                                 operation.what, operation.path);
  if (!operation.to.empty()) text += fmt::format(" to {}", operation.to);
  if (operation.bytes > 0) text += fmt::format(", {} bytes", operation.bytes);
  return text;
}

std::map<std::string, std::string> files_of(SimFileSystem& disk) {
  std::map<std::string, std::string> files;
  for (const std::string& name :
       disk.list(kStore).value_or(std::vector<std::string>())) {
    const std::string path = fmt::format("{}/{}", kStore, name);
    files[path] = read_file(disk, path).value_or("");
  }
  return files;
}

// What the disk held, and holds no more; a line for each file.
std::vector<std::string> damage_between(SimFileSystem& before,
                                        SimFileSystem& after) {
  const auto old_files = files_of(before);
  const auto new_files = files_of(after);
  std::vector<std::string> lines;
  for (const auto& [path, old_bytes] : old_files) {
    const auto found = new_files.find(path);
    if (found == new_files.end()) {
      lines.push_back(
          fmt::format("{}: gone, {} bytes", path, old_bytes.size()));
    } else if (const std::string& bytes = found->second; bytes != old_bytes) {
      const auto first = std::ranges::mismatch(old_bytes, bytes).in1;
      lines.push_back(fmt::format("{}: {} bytes, was {}; differs from byte {}",
                                  path, bytes.size(), old_bytes.size(),
                                  first - old_bytes.begin()));
    }
  }
  for (const auto& [path, bytes] : new_files) {
    if (old_files.contains(path)) continue;
    lines.push_back(
        fmt::format("{}: back again, {} bytes", path, bytes.size()));
  }
  return lines;
}

// `batch` as a transaction, beside one that read what it writes: that one must
// lose, and nothing of it may ever be seen.
Result<void> commit_batch(Db& db, const WriteBatch& batch, bool sync) {
  const std::vector<WriteOp> ops = batch.ops();
  LSM_ASSIGN_OR_RETURN(const auto winner, db.begin());
  LSM_ASSIGN_OR_RETURN(const auto loser, db.begin());
  for (const WriteOp& op : ops) {
    LSM_TRY(winner->get(op.key));
    LSM_TRY(loser->get(op.key));
    LSM_TRY(op.kind == Kind::put ? winner->put(op.key, op.value)
                                 : winner->remove(op.key));
  }
  LSM_TRY(loser->put("of the loser", "must not be seen"));
  LSM_TRY(winner->commit({.sync = sync}));
  const Result<void> lost = loser->commit();
  if (ops.empty() || (!lost && lost.error().code == Code::conflict)) return {};
  return fail(Code::internal,
              lost ? "a transaction committed whose reads were overwritten"
                   : lost.error().message);
}

// A disk as it stood before one operation, and the images to be made of it.
struct Shot {
  std::unique_ptr<SimFileSystem> disk;
  std::uint64_t operation = 0;
  Promise promise;
  std::size_t history = 0;  // lines before that of the operation
  std::uint64_t begin = 0;  // images [begin, end)
  std::uint64_t end = 0;
};

class Lab {
 public:
  Lab(const Settings& settings, const Watch& watch)
      : settings_(settings),
        watch_(watch),
        oracle_(settings.seed, settings.batches) {}

  Report run() {
    try {
      if (settings_.at == 0) {
        run_once(false);  // how many operations are there?
        operations_ = report_.operations;
        report_ = {};
      }
      run_once(true);
    } catch (const std::exception& error) {  // a room that is not written yet
      report_.broken_off = error.what();
    }
    if (report_.broken_off.empty() && settings_.at > report_.operations) {
      report_.broken_off = fmt::format(
          "there is no operation {}: the run ends with operation {}",
          settings_.at, report_.operations);
    }
    return std::move(report_);
  }

 private:
  void run_once(bool taking);
  Result<void> work(FileSystem& fs);
  void note(std::string line) {
    history_.push_back(std::string(9, ' ') + std::move(line));
  }

  // Operation of image i.
  std::uint64_t operation_of(std::uint64_t i) const {
    if (settings_.at != 0) return settings_.at;
    return 1 + i * operations_ / settings_.images;
  }
  void take(SimFileSystem& disk, std::uint64_t operation);
  void look_at_shots();
  void look(const Shot& shot, const Image& image);
  std::unique_ptr<SimFileSystem> make_image(const Shot& shot,
                                            const Image& image);
  Verdict judge(SimFileSystem& disk, int at_least, int at_most, bool go_on);

  const Settings settings_;
  const Watch& watch_;
  const Oracle oracle_;
  std::uint64_t operations_ = 0;  // of the run before, when spread
  std::uint64_t next_image_ = 0;
  std::vector<Shot> shots_;
  std::vector<std::string> history_;
  Promise promise_;
  Report report_;
};

void Lab::run_once(bool taking) {
  history_.clear();
  promise_ = {};
  SimFileSystem disk;
  LyingDisk fs(disk, settings_.lie, settings_.append_log,
               [&](const std::string& line) { note(line); });
  disk.before_each_operation([&](const SimOperation& operation) {
    if (taking) take(disk, operation.number);
    history_.push_back(to_string(operation));
    report_.operations = operation.number;
  });
  const Result<void> done = work(fs);
  look_at_shots();
  if (!done) report_.broken_off = done.error().message;
}

// The workload. Images are looked at between its steps, when nothing is inside
// the store.
Result<void> Lab::work(FileSystem& fs) {
  const auto executor = make_stepped_executor(settings_.seed);
  const Options options = tiny_options(settings_.policy, fs, *executor);
  std::unique_ptr<Db> db;
  const auto open = [&]() -> Result<void> {
    note("open");
    LSM_ASSIGN_OR_RETURN(db, Db::open(kStore, options));
    ++report_.opens;
    return {};
  };
  const auto count = [&] {
    const Stats stats = db->stats();
    report_.flushes += stats.flushes;
    report_.compactions += stats.compactions + stats.trivial_moves;
  };
  // A call that makes durable, if it succeeds, all that was written.
  const auto durable = [&](const char* what, auto call) -> Result<void> {
    note(what);
    LSM_TRY(call());
    promise_.synced = promise_.acknowledged;
    return {};
  };
  const auto close = [&] { return db->close(); };
  const auto write = [&](int i, bool sync) -> Result<void> {
    if (settings_.transactions) {
      return commit_batch(*db, oracle_.batch(i), sync);
    }
    return db->write(oracle_.batch(i), {.sync = sync});
  };
  LSM_TRY(open());
  SnapshotPtr snapshot;  // held from one tenth batch to the next
  Splitmix random(settings_.seed);
  for (int i = 1; i <= settings_.batches; ++i) {
    const bool sync = random.below(8) == 0;
    note(fmt::format("write batch {}{}", i, sync ? ", synced" : ""));
    promise_.started = i;
    LSM_TRY(write(i, sync));
    if (settings_.transactions && i % 10 == 0) {
      LSM_ASSIGN_OR_RETURN(snapshot, db->snapshot());
    }
    promise_.acknowledged = i;
    if (sync) promise_.synced = i;
    if (random.below(40) == 0) {
      LSM_TRY(durable("sync", [&] { return db->sync(); }));
    }
    if (random.below(60) == 0) {
      LSM_TRY(durable("flush", [&] { return db->flush(); }));
    }
    if (random.below(150) == 0) {
      LSM_TRY(durable("compact", [&] { return db->compact(); }));
    }
    if (random.below(50) == 0) {
      count();
      snapshot.reset();
      LSM_TRY(durable("close", close));
      LSM_TRY(open());
    }
    look_at_shots();
  }
  count();
  snapshot.reset();
  return durable("close", close);
}

void Lab::take(SimFileSystem& disk, std::uint64_t operation) {
  const std::uint64_t begin = next_image_;
  while (next_image_ < settings_.images &&
         operation_of(next_image_) == operation)
    ++next_image_;
  if (begin == next_image_) return;
  shots_.push_back(
      {disk.clone(), operation, promise_, history_.size(), begin, next_image_});
}

void Lab::look_at_shots() {
  for (const Shot& shot : std::exchange(shots_, {})) {
    for (std::uint64_t i = shot.begin; i < shot.end; ++i) {
      const Image image{.operation = shot.operation,
                        .model = settings_.models[static_cast<std::size_t>(
                            i % settings_.models.size())],
                        .draw = settings_.draw + i,
                        .promise = shot.promise};
      if (watch_) watch_(report_.images, settings_.images, image);
      look(shot, image);
      ++report_.images;
    }
  }
}

void Lab::look(const Shot& shot, const Image& image) {
  const Promise& promise = image.promise;
  const int at_least = settings_.kill ? promise.acknowledged : promise.synced;
  std::unique_ptr<SimFileSystem> as_found;
  Verdict verdict;
  try {
    const bool go_on = image.draw % 4 == 0 && settings_.lie == Lie::none;
    const auto disk = make_image(shot, image);
    as_found = disk->clone();
    verdict = judge(*disk, at_least, promise.started, go_on);
  } catch (const std::exception& error) {
    verdict.wrong = fmt::format("an exception: {}", error.what());
  }
  if (verdict.wrong.empty()) {
    const int lost = std::max(promise.acknowledged - verdict.m, 0);
    report_.most_lost = std::max(report_.most_lost, lost);
    report_.losing += lost > 0 ? 1 : 0;
    return;
  }
  if (report_.bad++ > 0) return;
  const auto from = static_cast<std::ptrdiff_t>(
      shot.history - std::min(shot.history, kHistoryShown));
  report_.first =
      Failure{.image = image,
              .what = std::move(verdict.wrong),
              .history = {history_.begin() + from,
                          history_.begin() +
                              static_cast<std::ptrdiff_t>(shot.history) + 1},
              .damage = as_found ? damage_between(*shot.disk, *as_found)
                                 : std::vector<std::string>()};
}

std::unique_ptr<SimFileSystem> Lab::make_image(const Shot& shot,
                                               const Image& image) {
  auto disk = shot.disk->clone();
  if (settings_.kill) {
    disk->kill();
    return disk;
  }
  Splitmix random((settings_.seed << 40) + (image.operation << 20) +
                  image.draw);
  disk->power_cycle(image.model, random.next());
  if (!settings_.twice) return disk;
  const auto recover = [&](SimFileSystem& on) {
    LyingDisk fs(on, settings_.lie, settings_.append_log);
    const auto executor = make_stepped_executor(settings_.seed);
    // Fails when the power does.
    (void)Db::open(kStore, tiny_options(settings_.policy, fs, *executor));
  };
  const auto whole = disk->clone();
  const std::uint64_t before = whole->operations();
  recover(*whole);
  const std::uint64_t operations = whole->operations() - before;
  for (int again = 0; again < 2; ++again) {
    disk->cut_power_at(disk->operations() + 1 + random.below(operations + 1));
    recover(*disk);
    disk->power_cycle(image.model, random.next());
  }
  return disk;
}

// Opens an image, on a disk that tells the truth from now on.
Verdict Lab::judge(SimFileSystem& disk, int at_least, int at_most, bool go_on) {
  LyingDisk fs(disk, Lie::none, settings_.append_log);
  const auto executor = make_stepped_executor(settings_.seed);
  auto db = Db::open(kStore, tiny_options(settings_.policy, fs, *executor));
  if (!db) return {0, "it does not open: " + db.error().message};
  Verdict verdict = oracle_.judge(**db, at_least, at_most);
  const int m = verdict.m;
  if (!verdict.wrong.empty()) return verdict;
  if (!go_on || m == settings_.batches) {
    const auto closed = (*db)->close();
    if (!closed) return {m, "it does not close: " + closed.error().message};
    return verdict;
  }
  const auto written = (*db)->write(oracle_.batch(m + 1), {.sync = true});
  if (!written) return {m, "it does not go on: " + written.error().message};
  disk.power_cycle(CrashModel::any_subset, settings_.seed);
  db->reset();
  const Verdict next = judge(disk, m + 1, m + 1, false);
  if (next.wrong.empty()) return verdict;
  return {m,
          fmt::format("batches 1 … {}, as it should be; but when batch {} was "
                      "written to it, synced, and power failed, {}",
                      m, m + 1, next.wrong)};
}

const char* name_of(CrashModel model) {
  return model == CrashModel::ordered ? "ordered" : "any";
}

}  // namespace

Report run_lab(const Settings& settings, const Watch& watch) {
  return Lab(settings, watch).run();
}

std::string arguments_of(const Settings& settings, const Image& image) {
  constexpr const char* kPolicies[] = {"leveled", "tiered", "simple"};
  constexpr const char* kLies[] = {"", "sync", "sync-dir", "late-sync"};
  std::string text =
      fmt::format("--policy {} --seed {} --batches {} --at {}",
                  kPolicies[static_cast<int>(settings.policy)], settings.seed,
                  settings.batches, image.operation);
  if (settings.kill) {
    text += " --kill";
  } else {
    text += fmt::format(" --model {}", name_of(image.model));
  }
  text += fmt::format(" --draw {}", image.draw);
  if (settings.twice) text += " --twice";
  if (settings.append_log) text += " --append-log";
  if (settings.transactions) text += " --transactions";
  if (settings.lie != Lie::none) {
    text += fmt::format(" --break {}", kLies[static_cast<int>(settings.lie)]);
  }
  return text;
}

std::string describe(const Settings& settings, const Failure& failure) {
  const Image& image = failure.image;
  const Promise& promise = image.promise;
  std::string text = fmt::format(
      "{} at operation {}{}\n\n", settings.kill ? "Killed" : "Power cut",
      image.operation,
      settings.kill
          ? ""
          : fmt::format(", names {}, draw {}",
                        image.model == CrashModel::ordered ? "in order"
                                                           : "in any subset",
                        image.draw));
  text += "The end of the history:\n";
  for (std::size_t i = 0; i < failure.history.size(); ++i) {
    text += failure.history[i];
    if (i + 1 == failure.history.size()) {
      text += settings.kill ? "   <-- killed before this"
                            : "   <-- power off before this";
    }
    text += '\n';
  }
  text += fmt::format("\nWhat {} changed on the disk:\n",
                      settings.kill    ? "the kill"
                      : settings.twice ? "the three cuts and two recoveries"
                                       : "the cut");
  for (const std::string& line : failure.damage)
    text += fmt::format("  {}\n", line);
  if (failure.damage.empty()) text += "  nothing\n";
  const auto first = [](int m) {
    return m == 0 ? "none" : fmt::format("1 … {}", m);
  };
  text += fmt::format(
      "\nPromised: batches, at least {} ({}), at most {} (started).\n"
      "Found: {}\n",
      first(settings.kill ? promise.acknowledged : promise.synced),
      settings.kill ? "acknowledged" : "synced", first(promise.started),
      failure.what);
  return text;
}

}  // namespace lsm::crash
