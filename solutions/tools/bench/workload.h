// A Subject is one engine under test: its store, what the store must hold,
// and the workloads that are run on it.
//
//   plan   "fillrandom,overwrite,settle,readrandom:2"  -> steps
//   step   one workload, threads, and the state it finds the store in
//   row    what is reported: "readrandom x2, tree"
//
// A turn (one step on one engine) goes:
//
//   make the store      a fill begins with a new one
//   reckon              what must be found, from the model; clock off
//   warm                point reads first read a tenth as much, unmeasured
//   measure             from the first thread's start to the last one's end
//   check               found, marks and fold against what was reckoned
//   wait                until the engine has no background work left, so
//                       that it does not run beside the next engine's turn
//
// The model holds, per key, the stamp of its last write: 4 bytes a key.
//
// I1 keys, values and order are the same for every engine in a round.
// I2 the clock covers making keys and values (about 20 ns, the same for
//    all) and checking marks; nothing else but the engine.
// I3 an answer that fails its check is reported as such: a fast engine that
//    is wrong fails the run.
//
// Rates are per second of the clock, or (by_cpu) per second of CPU time that
// the process spent, background threads included; beside a writer, that the
// thread spent. CPU time says nothing of waiting, for the disk or for a lock,
// but it holds still on a machine that others use as well.
//
// States: a write leaves the store in state "tree" (settle flushes it and
// waits for the engine's own compactions), `compact` in state "full".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data.h"
#include "histogram.h"
#include "store.h"

namespace lsm::bench {

enum class Kind {
  fillseq,
  fillrandom,
  fillsync,
  overwrite,
  readrandom,
  readmissing,
  readseq,
  readreverse,
  seekrandom,
  readwhilewriting,
  settle,
  compact,
  amplification,
};

struct Step {
  Kind kind;
  unsigned threads = 1;
  std::string row;  // names the step in every report
};

struct Config {
  Shape shape;
  std::uint64_t reads = 0;  // of each point read and seek
  std::uint64_t syncs = 0;  // puts of fillsync
  std::uint64_t seek_nexts = 0;
  bool reuse_cursor = false;
  bool latency = false;
  bool by_cpu = false;  // rates per second of CPU time, not of the clock
  std::uint64_t seed = 1;
  Settings settings;  // its path is the parent of all stores
};

// Reads a plan; throws std::runtime_error that names the bad word.
// `threads` is for every workload that can use them and names no number.
std::vector<Step> parse_plan(std::string_view text, unsigned threads);

enum class Unit { per_second, seconds, factor };

struct Sample {
  int round = 0;
  std::string engine;
  std::string row;
  Unit unit = Unit::per_second;
  double value = 0;
  std::uint64_t operations = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t found = 0;
  std::string wrong;  // why the check failed; empty when it passed
  std::optional<Histogram> latency;
};

// One store as it should be.
struct Model {
  std::vector<std::uint32_t> stamps;  // by key number; 0: never put
  std::uint64_t live = 0;
  std::uint64_t puts = 0;

  void put(std::uint64_t number, std::uint64_t stamp) {
    live += stamps[number] == 0 ? 1 : 0;
    stamps[number] = static_cast<std::uint32_t>(stamp);
  }
};

class Subject {
 public:
  Subject(std::string engine, const Config& config);
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  ~Subject();

  const std::string& engine() const { return engine_; }

  // One turn. `number` is the step's place in the plan.
  std::vector<Sample> run(const Step& step, int round, std::size_t number);

  // Closes the store and removes its files.
  void drop();

 private:
  void make();
  std::uint64_t seed_of(unsigned thread) const;
  NumberStream writes(const Step& step, unsigned thread) const;

  void write(const Step& step, Sample* sample);
  void read(const Step& step, Sample* sample);
  void seek(const Step& step, Sample* sample);
  void scan(const Step& step, Sample* sample);
  void settle(const Step& step, Sample* sample);
  Sample read_while_writing(const Step& step, Sample* reader_sample);
  std::vector<Sample> amplification(const Sample& blank);

  std::string engine_;
  Config config_;
  std::string path_;
  std::unique_ptr<Store> store_;
  Model model_;
  int round_ = 0;
  std::size_t step_number_ = 0;
};

}  // namespace lsm::bench
