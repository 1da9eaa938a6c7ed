// The store's numbers, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "lsm/db.h"

namespace lsm::tool {

// Bytes written to logs and tables, by flush and compaction, for each byte the
// user wrote; since the store was opened. Nothing when the user wrote nothing.
std::optional<double> write_amplification(const Stats& stats);
// Bytes of all tables for each byte of the deepest level, which holds every key
// at most once: what is above it is newer versions and tombstones, or has not
// been merged yet. Nothing when there is no table.
std::optional<double> space_amplification(const Stats& stats);

// A row for each level, with a bar for its size.
std::string levels_text(const Stats& stats);
// The two amplifications, with what they mean.
std::string amplification_text(const Stats& stats);
std::string stats_text(const Stats& stats);
nlohmann::json stats_json(const Stats& stats);

}  // namespace lsm::tool
