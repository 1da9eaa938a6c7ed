// The commands of `lsm`, one function each; main.cpp fills in what was typed.
//
// I1 A command returns the exit status: 0, or 1 after one line on stderr that
//    begins "lsm: " and names the file. (2, bad usage, is main.cpp's.)
// I2 What was asked for goes to stdout, everything else to stderr.
// I3 Commands with `json` print one JSON document. Stored bytes appear in it
//    as text.h's escaped text, since JSON has no place for arbitrary bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lsm/db.h"
#include "steps.h"

namespace lsm::tool {

// "lsm: PATH: message", without naming the path twice. Returns 1.
int report(std::string_view path, const Error& error);

// As Db::open, for a store that must be there when `create` is false.
Result<std::unique_ptr<Db>> open_store(const std::string& path, Options options,
                                       bool create);

struct ScanArgs {
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool reverse = false;
  std::optional<std::uint64_t> limit;
};

int run_shell(const std::string& path, const Options& options);

struct LoadArgs {
  std::string path;
  std::string file;  // - is stdin
  bool sync = false;
};
int run_load(const LoadArgs& args, const Options& options);

struct DumpArgs {
  std::string path;
  ScanArgs scan;  // escaped, as they were typed
  bool tsv = false;
};
int run_dump(const DumpArgs& args, const Options& options);

int run_stats(const std::string& path, const Options& options, bool json);
int run_verify(const std::string& path, bool json);
int run_repair(const std::string& path, const std::string& into,
               const Options& options, bool json);

struct InspectArgs {
  std::string file;
  bool json = false;
  bool entries = false;
  std::optional<std::uint64_t> hex_block;
};
int run_inspect(const InspectArgs& args);

struct DemoArgs {
  std::string tsv;
  std::string keep;  // empty: a temporary folder, removed at the end
  std::optional<std::uint64_t> seed;
};
int run_demo(const DemoArgs& args);

struct WriterArgs {
  std::string path;
  std::uint64_t ops = 0;
  std::uint64_t seed = 1;
  std::uint64_t sync_every = 0;  // 0: never
  int report_fd = -1;            // none
  StepShape shape;
};
// Writes the steps that the store lacks of the first args.ops; returns how many
// those were.
Result<std::uint64_t> write_steps(Db& db, const WriterArgs& args);
// The number of steps that the store holds.
Result<std::uint64_t> steps_done(Db& db);
int run_writer(const WriterArgs& args, const Options& options);

}  // namespace lsm::tool
