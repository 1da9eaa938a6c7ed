// The ten anomalies of Hermitage (Kleppmann, 2014) on the engine: what each
// transaction saw, who may commit, and whether it happens, under each level.
#include <memory>
#include <string>
#include <vector>

#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/teach.h"
#include "tools/check/hermitage.h"

namespace lsm::test {
namespace {

using check::Played;

struct Expected {
  std::string name;
  std::string fate;
  std::string found;
  std::string reads;  // of all, in the order of the transactions
};

std::string reads_of(const check::History& history) {
  std::string text;
  for (const check::Trace& trace : history.traces) {
    for (const check::Operation& operation : trace.operations) {
      if (operation.kind != check::Operation::Kind::get &&
          operation.kind != check::Operation::Kind::scan) {
        continue;
      }
      text += (text.empty() ? "" : " ") + std::to_string(trace.number) + ":" +
              check::to_string(operation);
    }
  }
  return text;
}

void play_all(Isolation isolation, const std::vector<Expected>& expected) {
  const auto scripts = check::hermitage();
  REQUIRE_SAME(scripts.size(), expected.size());
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    SimFileSystem disk;
    const auto executor = make_stepped_executor(1);
    Options options;
    options.file_system = &disk;
    options.executor = executor.get();
    auto db = Db::open("db", options);
    REQUIRE_OK(db);
    const Result<Played> played =
        check::play(scripts[i], isolation, check::subject_of(**db));
    INFO(scripts[i].name << ": " << scripts[i].about);
    REQUIRE_OK(played);
    CHECK_SAME(scripts[i].name, expected[i].name);
    CHECK_SAME(reads_of(played->history), expected[i].reads);
    CHECK_SAME(played->fate, expected[i].fate);
    CHECK_SAME(played->found, expected[i].found);
    REQUIRE_OK((*db)->close());
  }
}

}  // namespace

TEST_CASE("under snapshot isolation only write skew and phantoms happen",
          "[engine][isolation]") {
  STORY("Ten scripts on a = 10, b = 20. Of two writers the first one wins.");
  play_all(Isolation::snapshot,
           {{"G0", "2 is refused", "", "3:get(a)=11 3:get(b)=21"},
            {"G1a", "1 rolls back", "", "2:get(a)=10 2:get(a)=10"},
            {"G1b", "both commit", "", "2:get(a)=10 2:get(a)=10"},
            // No circular reads; but each relied on what the other one changed.
            {"G1c", "both commit", "G2-item", "1:get(b)=20 2:get(a)=10"},
            {"OTV", "2 is refused", "",
             "3:get(a)=10 3:get(b)=20 3:get(b)=20 3:get(a)=10"},
            {"PMP", "both commit", "", "1:scan[c,e)={} 1:scan[c,e)={}"},
            {"P4", "2 is refused", "", "1:get(a)=10 2:get(a)=10"},
            {"G-single", "both commit", "",
             "1:get(a)=10 1:get(b)=20 2:get(a)=10 2:get(b)=20"},
            {"G2-item", "both commit", "G2-item",
             "1:get(a)=10 1:get(b)=20 2:get(a)=10 2:get(b)=20"},
            {"G2", "both commit", "G2", "1:scan[c,e)={} 2:scan[c,e)={}"}});
}

TEST_CASE("under serializable none of the ten happens", "[engine][isolation]") {
  STORY("The same scripts. Who wrote blindly may commit; who relied may not.");
  play_all(Isolation::serializable,
           {{"G0", "all commit", "", "3:get(a)=12 3:get(b)=22"},
            {"G1a", "1 rolls back", "", "2:get(a)=10 2:get(a)=10"},
            {"G1b", "both commit", "", "2:get(a)=10 2:get(a)=10"},
            {"G1c", "2 is refused", "", "1:get(b)=20 2:get(a)=10"},
            {"OTV", "all commit", "",
             "3:get(a)=10 3:get(b)=20 3:get(b)=20 3:get(a)=10"},
            {"PMP", "both commit", "", "1:scan[c,e)={} 1:scan[c,e)={}"},
            {"P4", "2 is refused", "", "1:get(a)=10 2:get(a)=10"},
            {"G-single", "both commit", "",
             "1:get(a)=10 1:get(b)=20 2:get(a)=10 2:get(b)=20"},
            {"G2-item", "2 is refused", "",
             "1:get(a)=10 1:get(b)=20 2:get(a)=10 2:get(b)=20"},
            {"G2", "2 is refused", "", "1:scan[c,e)={} 2:scan[c,e)={}"}});
}

TEST_CASE("a script tells what happened, not what was hoped for",
          "[engine][isolation]") {
  STORY("One that never commits is committed at the end.");
  SimFileSystem disk;
  const auto executor = make_stepped_executor(1);
  Options options;
  options.file_system = &disk;
  options.executor = executor.get();
  auto db = Db::open("db", options);
  REQUIRE_OK(db);
  const auto steps =
      check::parse_steps("1:begin 2:begin 1:put(x,1) 2:get(x) 1:commit");
  REQUIRE_OK(steps);
  const auto history = check::run_script(*steps, Isolation::serializable,
                                         check::subject_of(**db));
  REQUIRE_OK(history);
  CHECK_SAME(check::to_string(*history),
             "1:begin\n2:begin\n1:put(x,1)\n2:get(x)=-\n1:commit\n2:commit\n");
}

}  // namespace lsm::test
