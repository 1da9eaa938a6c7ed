// `lsm inspect FILE`: each kind of file told in words. A report collects the
// text and the JSON side by side, so that they cannot tell different stories.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/file_system.h"
#include "base/key.h"
#include "base/table_format.h"
#include "commands.h"

namespace lsm::tool {

struct InspectReport {
  std::string text;
  nlohmann::json json = nlohmann::json::object();
};

// Fill the report with all that can be read; an error is damage on the way.
Result<void> inspect_table(FileSystem& fs, const InspectArgs& args,
                           InspectReport& report);
Result<void> inspect_log(FileSystem& fs, const InspectArgs& args,
                         InspectReport& report);
Result<void> inspect_manifest(FileSystem& fs, const InspectArgs& args,
                              InspectReport& report);
Result<void> inspect_current(FileSystem& fs, const InspectArgs& args,
                             InspectReport& report);

// The footer says whose table it is; only then can the rest be verified.
Result<Footer> read_footer_of(FileSystem& fs, const std::string& path);

// "00000000c0ffee42": how a store's id is written.
std::string show_id(std::uint64_t store_id);
std::string_view show_kind(Kind kind);
// Lines of 16 bytes: offset, hex, and the printable ones.
std::string hex_lines(std::string_view bytes, std::uint64_t offset);

}  // namespace lsm::tool
