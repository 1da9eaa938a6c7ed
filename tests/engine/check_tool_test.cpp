// The program lsm-check as its users meet it: its figures, its JSON, what it
// says of a history that is wrong, mistakes on the command line.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run_tool.h"
#include "support/catch.h"
#include "support/teach.h"

namespace lsm::test {
namespace {

using nlohmann::json;

Ran run_check(const std::vector<std::string>& args,
              const std::string& input = {}) {
  return run_tool(args, input, LSM_CHECK_PATH);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the engine is what it promises: status 0", "[engine][tool]") {
  STORY("Each level, each workload, threads and turns; 4 histories each.");
  for (const char* isolation : {"serializable", "snapshot"}) {
    for (const char* workload : {"list-append", "register"}) {
      for (const char* more : {"--turns", "--threads=3"}) {
        const Ran ran =
            run_check({"--isolation", isolation, "--workload", workload,
                       "--histories", "4", "--transactions", "200", more});
        CHECK_SAME(ran.status, 0);
        CHECK_SAME(ran.err, "");  // no progress line: this is no terminal
        CHECK(contains(ran.out, "4 histories of "));
        CHECK(contains(ran.out, "800 transactions: "));
        CHECK(contains(ran.out, "nothing wrong"));
      }
    }
  }
}

TEST_CASE("in turns the same seed gives the same bytes", "[engine][tool]") {
  STORY("Twice with seed 5, once with seed 6; as text and as JSON.");
  for (const char* form : {"--allowed", "--json"}) {
    const auto run = [&](const char* seed) {
      return run_check({"--seed", seed, "--turns", "--histories", "3",
                        "--isolation", "snapshot", form});
    };
    const Ran first = run("5");
    CHECK_SAME(run("5").out, first.out);
    CHECK(run("6").out != first.out);
  }
}

TEST_CASE("JSON has the figures, and null for what is not wrong",
          "[engine][tool]") {
  STORY("5 histories of 100 transactions.");
  const Ran ran = run_check(
      {"--histories", "5", "--transactions", "100", "--turns", "--json"});
  CHECK_SAME(ran.status, 0);
  const json report = json::parse(ran.out);
  CHECK_SAME(report["isolation"].get<std::string>(), "serializable");
  CHECK_SAME(report["workload"].get<std::string>(), "list-append");
  CHECK_SAME(report["histories"].get<int>(), 5);
  CHECK_SAME(report["transactions"].get<int>(), 500);
  CHECK_SAME(report["bad"].get<int>(), 0);
  CHECK_SAME(report["committed"].get<int>() + report["refused"].get<int>() +
                 report["rolled_back"].get<int>(),
             500);
  CHECK(report["first"].is_null());
  CHECK(report["anomalies"].empty());
}

TEST_CASE("the trial runs plans of every kind", "[engine][tool]") {
  STORY("On the engine as it is, then as JSON, which is for what is wrong.");
  const Ran ran = run_check({"--trial"});
  CHECK_SAME(ran.status, 0);
  for (const char* plan :
       {"serializable, list-append: ", "serializable, register: ",
        "snapshot, list-append: ", "snapshot, register: "}) {
    CHECK(contains(ran.out, plan));
  }
  CHECK(!contains(ran.out, " wrong: "));
  CHECK_SAME(run_check({"--trial", "--json"}).out, "");
}

TEST_CASE("a history that is wrong is told, with status 1", "[engine][tool]") {
  STORY("A write skew on stdin; as serializable, and as snapshot isolation.");
  const std::string skew =
      "1:begin 2:begin 1:get(x)=- 2:get(y)=- 1:put(y,1) 2:put(x,2)\n"
      "1:commit 2:commit\n";
  const Ran wrong = run_check({"--history", "-"}, skew);
  CHECK_SAME(wrong.status, 1);
  CHECK(contains(wrong.out, "write skew (G2-item), a cycle of 2"));
  CHECK(contains(wrong.out, "no order explains what they saw"));
  const Ran allowed =
      run_check({"--history", "-", "--isolation", "snapshot"}, skew);
  CHECK_SAME(allowed.status, 0);
  CHECK(contains(allowed.out, "nothing wrong, 1 cycle allowed"));
  CHECK(contains(allowed.out, "Two rw arrows stand side by side"));
  const Ran unreadable = run_check({"--history", "-"}, "1:jump");
  CHECK_SAME(unreadable.status, 2);
  CHECK(contains(unreadable.err, "\"1:jump\""));
}

TEST_CASE("a history that was saved gives the same story again",
          "[engine][tool]") {
  STORY("The first cycle under snapshot isolation, saved and checked.");
  const TempDir dir;
  const Ran ran =
      run_check({"--isolation", "snapshot", "--turns", "--histories", "5",
                 "--allowed", "--save", dir / "history"});
  CHECK_SAME(ran.status, 0);
  const Ran again =
      run_check({"--history", dir / "history", "--isolation", "snapshot"});
  CHECK_SAME(again.status, 0);
  const std::size_t story = ran.out.find("a cycle of");
  REQUIRE(story != std::string::npos);
  // All but the transactions' sessions, which the notation does not have.
  const std::size_t end = ran.out.find("\n(T1 is");
  REQUIRE(end != std::string::npos);
  CHECK(contains(again.out, ran.out.substr(story, end - story)));
}

TEST_CASE("Hermitage is a table of ten", "[engine][tool]") {
  STORY("--hermitage.");
  const Ran ran = run_check({"--hermitage"});
  CHECK_SAME(ran.status, 0);
  for (const char* name : {"G0 ", "G1a", "G1b", "G1c", "OTV", "PMP", "P4 ",
                           "G-single", "G2-item", "G2 "}) {
    INFO(name);
    CHECK(contains(ran.out, name));
  }
  std::size_t wrong = 0;
  for (std::size_t at = ran.out.find("wrong: G2"); at != std::string::npos;
       at = ran.out.find("wrong: G2", at + 1)) {
    ++wrong;
  }
  CHECK_SAME(wrong, 3u);  // G1c, G2-item, G2 under snapshot isolation
}

TEST_CASE("a mistake on lsm-check's command line names the option",
          "[engine][tool]") {
  STORY("Unknown names, numbers out of range; status 2.");
  struct Mistake {
    std::vector<std::string> args;
    std::string about;
  };
  for (const Mistake& mistake :
       std::vector<Mistake>{{{"--isolation", "none"}, "--isolation"},
                            {{"--workload", "bank"}, "--workload"},
                            {{"--policy", "best"}, "--policy"},
                            {{"--histories", "0"}, "--histories"},
                            {{"--transactions", "-1"}, "--transactions"},
                            {{"--threads", "0"}, "--threads"},
                            {{"--keys", "26"}, "--keys"},
                            {{"--seed", "x"}, "--seed"},
                            {{"--history", "/nowhere/at/all"}, "/nowhere"},
                            {{"--hermitage", "--history", "x"}, "--hermitage"},
                            {{"--nonsense"}, "--nonsense"},
                            {{"file"}, "file"}}) {
    const Ran ran = run_check(mistake.args);
    INFO(mistake.args[0]);
    CHECK_SAME(ran.status, 2);
    CHECK_SAME(ran.out, "");
    CHECK(contains(ran.err, mistake.about));
  }
}

TEST_CASE("lsm-check's help lists the options", "[engine][tool]") {
  STORY("--help.");
  const Ran ran = run_check({"--help"});
  CHECK_SAME(ran.status, 0);
  for (const char* word :
       {"--isolation", "--workload", "--policy", "--seed", "--histories",
        "--transactions", "--threads", "--keys", "--turns", "--allowed",
        "--save", "--history", "--hermitage", "--json", "exit status"}) {
    INFO(word);
    CHECK(contains(ran.out, word));
  }
}

}  // namespace lsm::test
