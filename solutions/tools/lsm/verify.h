// Reads all that a store consists of, and says everything that is wrong.
//
//   CURRENT ─► manifest ─► each table: every block, then order, filter, counts
//                     └──► each log that is still needed: every record
//
// I1 Nothing is changed: no repair, no recovery, no file removed or created.
// I2 Damage to one file does not end the search: without a manifest, every
//    table and log in the folder is checked by what it says about itself.
// I3 Damage is what the store would not open with, or not answer from. What
//    it copes with (a torn tail, files that nothing names) is a note.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace lsm::tool {

struct Damage {
  std::string file;
  std::optional<std::uint64_t> offset;
  std::string what;
};

struct VerifyReport {
  std::uint64_t tables = 0;
  std::uint64_t blocks = 0;
  std::uint64_t entries = 0;
  std::uint64_t logs = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::vector<Damage> damage;
  std::vector<std::string> notes;
};

// Errors: not_found, there is no store; busy, a process has it open.
Result<VerifyReport> verify_store(FileSystem& fs, const std::string& folder);

// "/db/000007.sst: offset 4096: what" taken apart.
Damage damage_of(const std::string& file, const Error& error);

}  // namespace lsm::tool
