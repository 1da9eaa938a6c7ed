// The tree as the manifest knows it: every run and every table, with its keys.
//
//   level 0
//     run 12   000012.sst     1.2 MiB    12,345 entries   apple … plum
//   level 6
//              000014.sst     8.0 MiB    81,002 entries   aaron … kiwi
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "manifest.h"

namespace lsm::tool {

std::string tree_text(const ManifestState& state);
nlohmann::json table_json(const VersionEdit::Added& added);
// "000012.sst".
std::string table_name(std::uint64_t number);

}  // namespace lsm::tool
