#include "engine/repair.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/posix_file_system.h"
#include "commands.h"
#include "text.h"
#include "verify.h"

namespace lsm::tool {
namespace {

nlohmann::json report_json(const std::string& path,
                           const RepairReport& report) {
  nlohmann::json lost = nlohmann::json::array();
  for (const std::string& message : report.lost) {
    const Damage one = damage_of(path, {Code::corruption, message});
    nlohmann::json offset;
    if (one.offset) offset = *one.offset;
    lost.push_back({{"file", escape_text(one.file)},
                    {"offset", offset},
                    {"what", escape_text(one.what)}});
  }
  nlohmann::json notes = nlohmann::json::array();
  for (const std::string& note : report.notes) {
    notes.push_back(escape_text(note));
  }
  return {{"tables", report.tables},
          {"blocks", report.blocks},
          {"logs", report.logs},
          {"batches", report.batches},
          {"entries", report.entries},
          {"new_tables", report.new_tables},
          {"lost", lost},
          {"notes", notes}};
}

}  // namespace

int run_repair(const std::string& path, const std::string& into,
               const Options& options, bool json) {
  const auto repaired = repair_store(posix_file_system(), path, into, options);
  if (!repaired) return report(path, repaired.error());
  if (json) {
    fmt::print("{}\n", report_json(path, *repaired).dump(2));
    return 0;
  }
  for (const std::string& note : repaired->notes)
    fmt::print("note: {}\n", note);
  for (const std::string& lost : repaired->lost)
    fmt::print("lost: {}\n", lost);
  fmt::print("{}: {} in {}; {} in {}\n", path,
             plural(repaired->blocks, "block"),
             plural(repaired->tables, "table"),
             plural(repaired->batches, "batch"), plural(repaired->logs, "log"));
  fmt::print("{}: {} in {}; {}\n", into, plural(repaired->entries, "entry"),
             plural(repaired->new_tables, "table"),
             repaired->lost.empty()
                 ? "nothing was lost"
                 : plural(repaired->lost.size(), "piece") + " LOST");
  return 0;
}

}  // namespace lsm::tool
