// The crash laboratory: a workload runs on a disk in memory, the power goes
// off before one of the disk's operations, and what a real disk might hold
// then is opened and held against an oracle.
//
//   batches     1    2    3 sync     4     5 …            m is one of 3, 4, 5
//   disk     ───┬────┬────┬────┬─────┬──X
//               operation n             └ clone() ─ power_cycle(model, draw)
//                                                 ─ Db::open ─ model[m]?
//
// I1 What is recovered is model[m], each batch whole, where
//    last synced <= m <= last started; after a kill, last acknowledged <= m.
// I2 Of every fourth image: the store goes on. A batch that is then written
//    with sync is there after the next power cut, and nothing else changed.
//    (Not after a disk that lied: what it still owes is not the store's.)
// I3 Settings, operation, model and draw decide an image: arguments_of()
//    names it, and it can be had again alone.
// The workload: batches, one in eight synced; now and then sync, flush,
// compact, or close and reopen. With `transactions` each batch is committed by
// a transaction that read before, while another one, which has to lose the
// race, is open beside it, and a snapshot is held for a while.
// Cost: half a millisecond an image, two or three times that with `twice`.
// Thread safety: none; one thread, and everything runs on it.
// Used by lsm-crash and by tests/engine/crash_test.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/sim_file_system.h"
#include "tools/crash/lying_disk.h"

namespace lsm::crash {

struct Settings {
  // The run.
  std::uint64_t seed = 1;
  CompactionStyle policy = CompactionStyle::leveled;
  int batches = 400;
  bool append_log = false;
  bool transactions = false;  // each batch is one, and beside it one loses
  Lie lie = Lie::none;

  // The end: a power cut by each of the models in turn; or a kill, which
  // keeps what the operating system has. `twice`: power fails again inside
  // the recovery, and in the next one.
  std::vector<CrashModel> models = {CrashModel::ordered,
                                    CrashModel::any_subset};
  bool kill = false;
  bool twice = false;

  // The images: so many, spread evenly over the operations of the run; or at
  // operation `at` alone. Draws are numbered from `draw`.
  std::uint64_t images = 1000;
  std::uint64_t at = 0;  // 0: spread
  std::uint64_t draw = 0;
};

// What the store had said by the time of an image.
struct Promise {
  int synced = 0;        // batches 1 … synced survive a power cut
  int acknowledged = 0;  // … acknowledged survive a kill
  int started = 0;       // no batch after this one exists
};

struct Image {
  std::uint64_t operation = 0;  // it did not happen any more
  CrashModel model = CrashModel::ordered;
  std::uint64_t draw = 0;
  Promise promise;
};

struct Failure {
  Image image;
  std::string what;                  // what is wrong, with the first key
  std::vector<std::string> history;  // the last line did not happen any more
  std::vector<std::string> damage;   // what the end changed on the disk
};

struct Report {
  std::uint64_t operations = 0;  // of the disk, as far as the run went
  std::uint64_t opens = 0;       // of the store by the workload
  std::uint64_t flushes = 0;
  std::uint64_t compactions = 0;  // moves included
  std::uint64_t images = 0;
  std::uint64_t bad = 0;
  std::uint64_t losing = 0;  // good ones without some acknowledged batch
  int most_lost = 0;         // acknowledged batches, by a good one
  std::optional<Failure> first;
  std::string broken_off;  // why the run itself could not go on

  bool clean() const { return bad == 0 && broken_off.empty(); }
};

// Called before each image, `done` of `all` having been looked at.
using Watch = std::function<void(std::uint64_t done, std::uint64_t all,
                                 const Image& image)>;

Report run_lab(const Settings& settings, const Watch& watch = {});

// The arguments with which lsm-crash makes this image, and no other.
std::string arguments_of(const Settings& settings, const Image& image);

// The failure as lsm-crash prints it, but for the command.
std::string describe(const Settings& settings, const Failure& failure);

}  // namespace lsm::crash
