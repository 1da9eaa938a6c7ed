// lsm-bench: the same work through several engines, alternated in one run.
//
//   for each round
//     for each step of the plan
//       for each engine, in an order that rotates: one turn
//   then medians over the rounds, and ratios to the baseline
//
// workload.h tells what a turn is, store.h what is fair, report.h why the
// medians of alternated ratios are what counts.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "report.h"
#include "store.h"
#include "workload.h"

namespace lsm::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDefaultPlan =
    "fillseq,fillsync,fillrandom:2,fillrandom,overwrite,settle,"
    "amplification,readrandom,readrandom:2,seekrandom,readwhilewriting,"
    "settle,compact,readrandom,readmissing,seekrandom,readseq,readreverse";

constexpr const char* kFooter = R"(
Workloads (names as in LevelDB's db_bench; NAME:2 runs it on two threads)
  fillseq           put num keys in order, into a new store
  fillrandom        put num keys drawn at random, with repetition, new store
  fillsync          the same, each put synced; --syncs of them
  overwrite         put num more keys drawn at random
  readrandom        get keys drawn at random: after a random fill, 63% exist
  readmissing       get keys between those that exist; none is found
  readseq           scan everything forward
  readreverse       scan everything backward
  seekrandom        seek to a key drawn at random, then --seek-nexts steps
  readwhilewriting  one reader as in readrandom beside one writer that never
                    pauses: two rows, the rate of each
  settle            flush, and wait for background work (or: waitcompact)
  compact           merge everything into as few levels as the engine can
  amplification     the two figures, at this point (take it after a settle)
A name beginning with fill makes a new store. Reads carry the state they
find: ", tree" after writes, ", full" after compact.
The default is
  fillseq,fillsync,fillrandom:2,fillrandom,overwrite,settle,amplification,
  readrandom,readrandom:2,seekrandom,readwhilewriting,settle,compact,
  readrandom,readmissing,seekrandom,readseq,readreverse

What is counted
  write amplification = bytes written since the store was made / bytes of
    keys and values put. Counted at the file layer (an Env or FileSystem in
    front of the engine's own): tables, logs and manifest. LMDB writes into a
    mapping; its figure is reckoned from the pages that each commit copies.
  space amplification = bytes of live tables, logs excluded / bytes of the
    keys and values that can be read. LMDB: all pages up to the last in use.

Every answer is checked against what was put: a row with a mark "!" is wrong,
and the exit code is 1. The same when a gate fails; 2 for a bad command line
and after an interrupt (Ctrl-C), which reports what there is.

Gates: --gate "fillrandom >= 1.3, write amplification <= 4.3" or a file of
such lines: a ratio to the baseline, or the figure itself, for lsm.

JSON (--json): {"schema": 1, "config": {…}, "machine": {…},
  "samples": [{"round", "engine", "row", "unit": "ops/s" | "s" | "x",
    "value", "operations", "seconds", "cpu_seconds", "found", "bytes"
    (with unit x), "wrong" (when a check failed), "latency_ns": {"p50", "p99", "p99.9"}}],
  "medians": {row: {engine: value}},
  "ratios": {row: {engine: times as good as the baseline}}}
History (--history): a line {"time", "label", "num", "medians"} is appended.
)";

struct Arguments {
  Config config;
  std::vector<std::string> peers;
  std::string workloads = kDefaultPlan;
  std::string baseline = "leveldb";
  std::string directory;
  std::string json_file;
  std::string history_file;
  std::string label;
  std::string gate;
  double gate_tolerance = 0.1;
  int rounds = 5;
  unsigned threads = 1;
};

// A folder of our own, removed with all that is in it.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& parent) {
    std::string name = parent + "/lsm-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      fail(fmt::format("{}: cannot make a folder there: {}", parent,
                       std::strerror(errno)));
    }
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The engines to run: those named, or all in this build but those that run on
// request.
std::vector<std::string> choose(const std::vector<std::string>& wanted) {
  const std::vector<Engine> all = engines();
  std::vector<std::string> chosen;
  if (wanted.empty()) {
    for (const Engine& engine : all) {
      if (engine.compiled_in && !engine.on_request) {
        chosen.push_back(engine.name);
      }
    }
    if (chosen.empty()) chosen.emplace_back("map");
    return chosen;
  }
  for (const std::string& name : wanted) {
    const auto engine = std::ranges::find(all, name, &Engine::name);
    if (engine == all.end()) fail("--peers: unknown engine " + name);
    if (!engine->compiled_in) {
      fail(
          fmt::format("--peers: this build has no {}: install {} and "
                      "configure again",
                      name, engine->package));
    }
    if (std::ranges::count(wanted, name) > 1) {
      fail(fmt::format("--peers: {} is named twice", name));
    }
    chosen.push_back(name);
  }
  return chosen;
}

void validate(Config* config) {
  Shape& shape = config->shape;
  const std::size_t least_key =
      shape.key_format == KeyFormat::binary
          ? 8
          : static_cast<std::size_t>(digits_of(shape.num));
  if (shape.key_bytes < least_key || shape.key_bytes > 500) {
    fail(fmt::format("--key-size: {} to 500 bytes for {} keys of this format",
                     least_key, shape.num));
  }
  if (config->reads == 0) config->reads = shape.num;
  config->settings.expected_bytes =
      shape.num * 4 * (shape.key_bytes + shape.value_bytes);
}

std::string machine_json() {
  utsname system{};
  ::uname(&system);
  std::string cpu = system.machine;
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      cpu = line.substr(line.find(':') + 2);
      break;
    }
  }
  Json engine_versions;
  for (const Engine& engine : engines()) {
    if (engine.compiled_in) engine_versions[engine.name] = engine.version;
  }
#ifdef NDEBUG
  constexpr bool kAsserts = false;
#else
  constexpr bool kAsserts = true;
#endif
  return Json{{"cpu", cpu},
              {"cores", std::thread::hardware_concurrency()},
              {"system", fmt::format("{} {}", system.sysname, system.release)},
              {"compiler", __VERSION__},
              {"asserts", kAsserts},
              {"engines", engine_versions}}
      .dump();
}

std::string config_json(const Arguments& arguments) {
  const Config& config = arguments.config;
  const Settings& settings = config.settings;
  return Json{
      {"num", config.shape.num},
      {"key_bytes", config.shape.key_bytes},
      {"key_format",
       config.shape.key_format == KeyFormat::binary ? "binary" : "decimal"},
      {"value_bytes", config.shape.value_bytes},
      {"reads", config.reads},
      {"syncs", config.syncs},
      {"seek_nexts", config.seek_nexts},
      {"reuse_cursor", config.reuse_cursor},
      {"seed", config.seed},
      {"rounds", arguments.rounds},
      {"workloads", arguments.workloads},
      {"baseline", arguments.baseline},
      {"label", arguments.label},
      {"policy", settings.policy},
      {"write_buffer_bytes", settings.write_buffer_bytes},
      {"block_bytes", settings.block_bytes},
      {"bloom_bits_per_key", settings.bloom_bits_per_key},
      {"cache_bytes", settings.cache_bytes}}
      .dump();
}

std::string read_gates(const std::string& text_or_file) {
  std::ifstream file(text_or_file);
  if (!file) return text_or_file;
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::ios::openmode mode,
                const std::string& text) {
  std::ofstream file(path, mode);
  file << text;
  file.close();
  if (!file) fail(fmt::format("{}: cannot write", path));
}

// Set by SIGINT and SIGTERM: the turn at hand is finished, what was measured
// is reported, and the scratch folder is removed.
volatile std::sig_atomic_t interrupted = 0;

// Fills the report, round by round and turn by turn; returns how many rounds
// were begun.
int measure(const Arguments& arguments, const std::vector<std::string>& names,
            const std::vector<Step>& plan, Report* report) {
  const bool progress = ::isatty(STDERR_FILENO) == 1;
  for (int round = 0; round < arguments.rounds; ++round) {
    std::vector<std::unique_ptr<Subject>> subjects;
    for (const std::string& name : names) {
      subjects.push_back(std::make_unique<Subject>(name, arguments.config));
    }
    for (std::size_t number = 0; number < plan.size(); ++number) {
      for (std::size_t turn = 0; turn < subjects.size(); ++turn) {
        if (interrupted != 0) return round + 1;
        const std::size_t first = static_cast<std::size_t>(round) + number;
        Subject& subject = *subjects[(first + turn) % subjects.size()];
        if (progress) {
          fmt::print(stderr, "\r\033[Kround {}/{}: {}, {}", round + 1,
                     arguments.rounds, plan[number].row, subject.engine());
          std::fflush(stderr);
        }
        for (Sample& sample : subject.run(plan[number], round, number)) {
          report->add(std::move(sample));
        }
      }
    }
    for (const auto& subject : subjects) {
      subject->drop();
    }
  }
  return arguments.rounds;
}

int run(Arguments arguments) {
  Config& config = arguments.config;
  validate(&config);
  const auto names = choose(arguments.peers);
  const auto plan = parse_plan(arguments.workloads, arguments.threads);
  const auto gates = parse_gates(read_gates(arguments.gate));
  const ScratchFolder scratch(arguments.directory);
  config.settings.path = scratch.path();
#ifndef NDEBUG
  fmt::print(stderr, "warning: built with asserts; the figures mean little\n");
#endif

  Report report(names, arguments.baseline);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  const int rounds = measure(arguments, names, plan, &report);
  if (::isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\r\033[K");
  if (interrupted != 0) {
    fmt::print("interrupted in round {}: the last round is not whole\n",
               rounds);
  }

  fmt::print(
      "{} entries, {}-byte keys, {}-byte values; medians of {} rounds, by {}; "
      "ratios above 1 are better\n\n{}",
      config.shape.num, config.shape.key_bytes, config.shape.value_bytes,
      rounds, config.by_cpu ? "CPU time" : "the clock", report.table());
  if (config.latency) fmt::print("\n{}", report.latency_table());
  if (!arguments.json_file.empty()) {
    write_file(arguments.json_file, std::ios::trunc,
               report.json(config_json(arguments), machine_json()));
  }
  if (!arguments.history_file.empty()) {
    write_file(arguments.history_file, std::ios::app,
               report.history_line(arguments.label, config.shape.num));
  }
  const std::string wrong = report.wrong();
  const std::string missed = failed_gates(
      report, gates, "lsm", arguments.baseline, arguments.gate_tolerance);
  std::fflush(stdout);
  fmt::print(stderr, "{}{}", wrong, missed);
  if (interrupted != 0) return 2;
  return wrong.empty() && missed.empty() ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  Config& config = arguments.config;
  const char* temporary = std::getenv("TMPDIR");
  arguments.directory = temporary != nullptr ? temporary : "/tmp";
  config.shape.num = 1'000'000;
  config.syncs = 5'000;

  CLI::App app(
      "The same work through several storage engines, alternated in one run.");
  app.footer(kFooter);
  app.add_option(
         "--peers", arguments.peers,
         "Engines: lsm, lsm-tiered, lsm-simple, lsm-snapshot, leveldb, "
         "rocksdb, lmdb, map (default: lsm and the others' in this build)")
      ->delimiter(',');
  app.add_option("--workloads", arguments.workloads, "The plan, see below")
      ->default_str("see below");
  app.add_option("--rounds", arguments.rounds)
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--num", config.shape.num, "Keys of a fill")
      ->check(CLI::Range(std::uint64_t{100}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--reads", config.reads, "Gets and seeks (default: num)");
  app.add_option("--syncs", config.syncs, "Puts of fillsync")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", arguments.threads,
                 "For workloads that can use them and name no number")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--key-size", config.shape.key_bytes)->capture_default_str();
  app.add_option("--value-size", config.shape.value_bytes)
      ->check(CLI::Range(ValueMaker::kHeaderBytes, std::size_t{1} << 24))
      ->capture_default_str();
  app.add_option("--key-format", config.shape.key_format,
                 "decimal: as LevelDB's db_bench; binary: as RocksDB's")
      ->transform(CLI::CheckedTransformer(std::map<std::string, KeyFormat>{
          {"decimal", KeyFormat::decimal}, {"binary", KeyFormat::binary}}))
      ->default_str("decimal");
  app.add_option("--seek-nexts", config.seek_nexts,
                 "Steps after each seek of seekrandom")
      ->capture_default_str();
  app.add_flag("--reuse-cursor", config.reuse_cursor,
               "seekrandom keeps one iterator (default: a new one each time)");
  app.add_option("--seed", config.seed)->capture_default_str();
  app.add_flag("--latency", config.latency,
               "Time every operation: p50, p99, p99.9 (costs all ~50 ns)");
  app.add_flag("--by-cpu", config.by_cpu,
               "Rates per second of CPU time: for a machine in use by others");
  app.add_option("--write-buffer", config.settings.write_buffer_bytes, "Bytes")
      ->capture_default_str();
  app.add_option("--cache", config.settings.cache_bytes, "Bytes")
      ->capture_default_str();
  app.add_option("--policy", config.settings.policy,
                 "lsm's compaction: leveled, tiered, simple")
      ->check(CLI::IsMember({"leveled", "tiered", "simple"}))
      ->capture_default_str();
  app.add_option("--dir", arguments.directory,
                 "Where to make a scratch folder, removed at the end")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--baseline", arguments.baseline, "What ratios refer to")
      ->capture_default_str();
  app.add_option("--json", arguments.json_file, "Every sample into this file");
  app.add_option("--history", arguments.history_file,
                 "Append a line of medians to this file");
  app.add_option("--label", arguments.label,
                 "A name for this run in --json and --history");
  app.add_option("--gate", arguments.gate, "Bars, or a file of them");
  app.add_option("--gate-tolerance", arguments.gate_tolerance,
                 "How far below a bar still passes")
      ->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return run(std::move(arguments));
  } catch (const std::exception& error) {
    fmt::print(stderr, "lsm-bench: {}\n", error.what());
    return 2;
  }
}

}  // namespace
}  // namespace lsm::bench

int main(int argc, char** argv) {
  return lsm::bench::main_of(argc, argv);
}
