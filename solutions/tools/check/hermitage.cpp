#include "tools/check/hermitage.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace lsm::check {
namespace {

// Transaction 9 writes what the store holds at first.
constexpr const char* kBefore = "9:begin 9:put(a,10) 9:put(b,20) 9:commit ";

constexpr Script kScripts[] = {
    {"G0", "write cycle: two writers' updates are mixed",
     "1:begin 2:begin 1:put(a,11) 2:put(a,12) 1:put(b,21) 1:commit "
     "2:put(b,22) 2:commit 3:begin 3:get(a) 3:get(b) 3:commit"},
    {"G1a", "aborted read: one sees what another one takes back",
     "1:begin 2:begin 1:put(a,101) 2:get(a) 1:rollback 2:get(a) 2:commit"},
    {"G1b", "intermediate read: one sees what another one writes over",
     "1:begin 2:begin 1:put(a,101) 2:get(a) 1:put(a,11) 1:commit 2:get(a) "
     "2:commit"},
    {"G1c", "circular reads: each sees what the other one writes",
     "1:begin 2:begin 1:put(a,11) 2:put(b,22) 1:get(b) 2:get(a) 1:commit "
     "2:commit"},
    {"OTV", "a transaction vanishes: one sees half of it",
     "1:begin 2:begin 3:begin 1:put(a,11) 1:put(b,19) 2:put(a,12) 1:commit "
     "3:get(a) 2:put(b,18) 3:get(b) 2:commit 3:get(b) 3:get(a) 3:commit"},
    {"PMP", "predicate, many preceders: a scan finds more the second time",
     "1:begin 2:begin 1:scan[c,e) 2:put(c,30) 2:commit 1:scan[c,e) 1:commit"},
    {"P4", "lost update: one writes over what it has not seen",
     "1:begin 2:begin 1:get(a) 2:get(a) 1:put(a,11) 2:put(a,12) 1:commit "
     "2:commit"},
    {"G-single", "read skew: one sees a before, and b after another one",
     "1:begin 2:begin 1:get(a) 2:get(a) 2:get(b) 2:put(a,12) 2:put(b,18) "
     "2:commit 1:get(b) 1:commit"},
    {"G2-item", "write skew: each changes what the other one relies on",
     "1:begin 2:begin 1:get(a) 1:get(b) 2:get(a) 2:get(b) 1:put(a,11) "
     "2:put(b,21) 1:commit 2:commit"},
    {"G2", "phantoms: each adds what the other one's scan did not find",
     "1:begin 2:begin 1:scan[c,e) 2:scan[c,e) 1:put(c,30) 2:put(d,42) "
     "1:commit 2:commit"},
};

std::string fate_of(const History& history) {
  std::string refused;
  std::size_t committed = 0;
  for (const Trace& trace : history.traces) {
    committed += trace.committed() ? 1 : 0;
    if (trace.outcome != Outcome::refused) continue;
    refused += fmt::format("{}{}", refused.empty() ? "" : ", ", trace.number);
  }
  if (!refused.empty()) return refused + " is refused";
  if (committed < history.traces.size()) return "1 rolls back";
  return committed == 2 ? "both commit" : "all commit";
}

}  // namespace

std::span<const Script> hermitage() {
  return kScripts;
}

Result<Played> play(const Script& script, Isolation isolation,
                    const Subject& subject) {
  LSM_ASSIGN_OR_RETURN(const auto steps,
                       parse_steps(std::string(kBefore) + script.steps));
  Played played;
  LSM_ASSIGN_OR_RETURN(played.history, run_script(steps, isolation, subject));
  const Verdict verdict = check(played.history, Isolation::serializable);
  if (!verdict.wrong.empty()) {
    played.found = short_name_of(verdict.wrong.front());
  }
  std::erase_if(played.history.traces,
                [](const Trace& trace) { return trace.number == 9; });
  played.fate = fate_of(played.history);
  return played;
}

}  // namespace lsm::check
