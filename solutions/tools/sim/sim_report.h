// What a simulation found, as a table and as JSON, with the definitions of the
// figures in both.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "simulation.h"

namespace lsm::sim {

// The table's columns and the definitions below it. Stalls stand there only
// when the writes had a rate.
std::string table_of(const std::vector<Figures>& all, const Input& input);

// {"schema": 1, "input": {…}, "knobs": {…}, "definitions": {…},
//  "policies": [{"policy", …figures…, "steps": [{"flush", "writes",
//  "write_amplification", "space_amplification", "runs", "level0_runs",
//  "level_bytes": […]}
//  …]}]}: at most some 200 steps, evenly spaced, for plots.
std::string json_of(const std::vector<Figures>& all, const Input& input,
                    const nlohmann::ordered_json& knobs);

}  // namespace lsm::sim
