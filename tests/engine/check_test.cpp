// The checker itself: does it find what is wrong, and nothing else? Histories
// with the anomalies of Adya's thesis, written by hand from the definitions;
// what may be inferred and what may not; whole runs on a store that is made
// wrong in one way at a time.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model_store.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "tools/check/checker.h"
#include "tools/check/cycles.h"
#include "tools/check/prove.h"
#include "tools/check/story.h"

namespace lsm::test {
namespace {

using check::Anomaly;
using check::Graph;
using check::History;
using check::Node;
using check::Settings;
using check::Successors;
using check::Workload;

History history_from(const std::string& text) {
  auto history = check::parse_history(text);
  if (!history) throw std::runtime_error(history.error().message);
  return std::move(*history);
}

// "G-single" of what is wrong, smallest first; "" when nothing is.
std::string wrong_names(const History& history, Isolation isolation) {
  std::string names;
  for (const auto& finding : check::check(history, isolation).wrong) {
    names += (names.empty() ? "" : " ") + check::short_name_of(finding);
  }
  return names;
}
std::string wrong_in(const std::string& text, Isolation isolation) {
  return wrong_names(history_from(text), isolation);
}
// The same of a history of which the order is known.
std::string refusals(const std::string& text, Isolation isolation) {
  History history = history_from(text);
  history.in_turns = true;
  return wrong_names(history, isolation);
}
std::string serializable(const std::string& text) {
  return wrong_in(text, Isolation::serializable);
}
std::string snapshot(const std::string& text) {
  return wrong_in(text, Isolation::snapshot);
}
std::string allowed_by_snapshot(const std::string& text) {
  std::string names;
  for (const auto& finding :
       check::check(history_from(text), Isolation::snapshot).allowed) {
    names += (names.empty() ? "" : " ") + check::short_name_of(finding);
  }
  return names;
}

// "1 rw 2": the arrows of a history by their transactions' numbers, those of
// time left out.
std::vector<std::string> arrows(const std::string& text) {
  constexpr const char* kNames[] = {"ww", "wr", "rw", "then", "then"};
  const History history = history_from(text);
  std::vector<std::string> result;
  for (const auto& edge : check::graph_of(history).edges) {
    if (edge.timed()) continue;
    result.push_back(std::to_string(history.traces[edge.from].number) + " " +
                     kNames[static_cast<int>(edge.arrow)] +
                     (edge.predicate ? "p " : " ") +
                     std::to_string(history.traces[edge.to].number));
  }
  std::ranges::sort(result);
  return result;
}
using Arrows = std::vector<std::string>;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

// The notation.

TEST_CASE("a history is read, and written as it was read", "[engine][check]") {
  STORY("Every kind of step, results and ends.");
  const std::string text =
      "1:begin\n1:get(x)=3\n2:begin\n2:put(x,[1 2])\n1:get(y)=-\n2:remove(y)\n"
      "1:scan[a,c)={a=1 b=[1 2]}\n2:commit\n1:scan[a,c]={}\n1:scan[a,)={}\n"
      "1:refused\n3:begin\n3:rollback\n";
  CHECK_SAME(check::to_string(history_from(text)), text);
}

TEST_CASE("a step that cannot be read is named", "[engine][check]") {
  STORY("Typing errors; steps of a transaction that is over.");
  for (const auto& [text, about] :
       std::vector<std::pair<std::string, std::string>>{
           {"begin", "\"begin\": expected a transaction's number"},
           {"1begin", "a colon"},
           {"1:beginning", "nothing more"},
           {"1:jump", "begin, get, put"},
           {"1:get(x", "get(key)"},
           {"1:put(x)", "put(key,value)"},
           {"1:scan[a", "scan[lower,upper)"},
           {"1:scan[a,c)={a}", "key=value"},
           {"1:commit 1:get(x)=1", "transaction 1 is over"},
           {"1:begin 1:begin", "transaction 1 has begun"}}) {
    const auto history = check::parse_history(text);
    INFO(text);
    CHECK_ERROR(history, Code::invalid_argument);
    if (!history) {
      INFO(history.error().message);
      CHECK(holds(history.error().message, about));
    }
  }
}

// Cycles in graphs.

TEST_CASE("the smallest cycle is found, and a graph without one has none",
          "[engine][check]") {
  STORY("A line; a triangle with a long way round; two components.");
  CHECK(check::cyclic_components({{1}, {2}, {}}).empty());
  const Successors triangle = {{1}, {2, 3}, {0}, {4}, {0}};
  const auto components = check::cyclic_components(triangle);
  REQUIRE_SAME(components.size(), 1u);
  CHECK_SAME(components[0], std::vector<Node>{0, 1, 2, 3, 4});
  CHECK_SAME(check::smallest_cycle(triangle, components[0]),
             std::vector<Node>{0, 1, 2});
  CHECK_SAME(check::smallest_cycle_through(triangle, 4),
             std::vector<Node>{4, 0, 1, 3});
  CHECK_SAME(check::cyclic_components({{1}, {0}, {3}, {2, 0}}).size(), 2u);
}

TEST_CASE("components are those of every pair that reaches each other",
          "[engine][check]") {
  STORY("200 random graphs of up to 12 nodes, against the closure.");
  SEEDED_RANDOM(random, 5);
  for (int round = 0; round < 200; ++round) {
    const auto count = static_cast<std::size_t>(random.between(1, 12));
    Successors graph(count);
    std::vector<std::vector<bool>> reaches(count, std::vector<bool>(count));
    for (std::uint64_t i = random.below(2 * count); i > 0; --i) {
      const auto from = static_cast<std::size_t>(random.below(count));
      const auto to = static_cast<std::size_t>(random.below(count));
      if (from == to || reaches[from][to]) continue;
      reaches[from][to] = true;
      graph[from].push_back(static_cast<Node>(to));
    }
    for (std::size_t over = 0; over < count; ++over) {
      for (std::size_t from = 0; from < count; ++from) {
        for (std::size_t to = 0; to < count; ++to) {
          if (reaches[from][over] && reaches[over][to])
            reaches[from][to] = true;
        }
      }
    }
    std::vector<bool> in_one(count);
    for (const auto& component : check::cyclic_components(graph)) {
      for (const Node a : component) {
        in_one[a] = true;
        for (const Node b : component)
          REQUIRE((reaches[a][b] && reaches[b][a]));
      }
      const auto cycle = check::smallest_cycle(graph, component);
      REQUIRE(cycle.size() >= 2);
      for (std::size_t i = 0; i < cycle.size(); ++i) {
        const auto& next = graph[cycle[i]];
        REQUIRE(std::ranges::count(next, cycle[(i + 1) % cycle.size()]) == 1);
      }
    }
    for (std::size_t node = 0; node < count; ++node)
      REQUIRE_SAME(bool(in_one[node]), bool(reaches[node][node]));
  }
}

// Histories with nothing wrong.

TEST_CASE("one after the other is always right", "[engine][check]") {
  STORY("Reads, writes, removals, scans; each sees what stands there.");
  const std::string text =
      "1:begin 1:get(x)=- 1:put(x,1) 1:scan[a,z)={x=1} 1:commit "
      "2:begin 2:get(x)=1 2:put(x,2) 2:put(y,1) 2:commit "
      "3:begin 3:scan[a,z)={x=2 y=1} 3:remove(x) 3:get(x)=- 3:commit "
      "4:begin 4:get(x)=- 4:scan[x,y]={y=1} 4:put(x,3) 4:commit "
      "5:begin 5:get(x)=3 5:commit";
  CHECK_SAME(serializable(text), "");
  CHECK_SAME(snapshot(text), "");
}

TEST_CASE("transactions that overlap may come in either order",
          "[engine][check]") {
  STORY("2 commits while 1 runs; 1 saw nothing of it, or writes blindly.");
  CHECK_SAME(serializable("1:begin 2:begin 1:get(x)=- 2:put(x,1) 2:commit "
                          "1:put(y,1) 1:commit"),
             "");
  CHECK_SAME(serializable("1:begin 2:begin 1:put(x,1) 2:put(x,2) 2:commit "
                          "1:commit 3:begin 3:get(x)=2 3:commit"),
             "");
  CHECK_SAME(serializable("1:begin 2:begin 1:put(x,1) 2:put(x,2) 2:commit "
                          "1:commit 3:begin 3:get(x)=1 3:commit"),
             "");
}

// The definitions.

TEST_CASE("G0: two transactions' writes are mixed", "[engine][check]") {
  STORY("Lists: x grew by 1 and then 2, y by 2 and then 1.");
  const std::string text =
      "1:begin 2:begin 1:put(x,[1]) 2:put(x,[1 2]) 2:put(y,[2]) "
      "1:put(y,[2 1]) 1:commit 2:commit "
      "3:begin 3:get(x)=[1 2] 3:get(y)=[2 1] 3:commit";
  CHECK_SAME(arrows(text), Arrows{"1 wr 3", "1 ww 2", "2 wr 3", "2 ww 1"});
  CHECK_SAME(serializable(text), "G0");
  CHECK_SAME(snapshot(text), "G0");
}

TEST_CASE("G1a: a value of one that rolled back, or was refused",
          "[engine][check]") {
  STORY("1 puts x and ends; 2 saw it.");
  for (const char* end : {"rollback", "refused"}) {
    const std::string text = std::string(
                                 "1:begin 1:put(x,1) 2:begin "
                                 "2:get(x)=1 2:commit 1:") +
                             end;
    CHECK_SAME(serializable(text), "G1a");
    CHECK_SAME(snapshot(text), "G1a");
  }
}

TEST_CASE("G1b: a value that its writer wrote over", "[engine][check]") {
  STORY("1 puts x = 1 and then 2; another one saw 1, by get and by scan.");
  for (const char* read : {"get(x)=1", "scan[a,z)={x=1}"}) {
    const std::string text =
        std::string("1:begin 1:put(x,1) 1:put(x,2) 1:commit 2:begin 2:") +
        read + " 2:commit";
    CHECK_SAME(serializable(text), "G1b");
    CHECK_SAME(snapshot(text), "G1b");
  }
}

TEST_CASE("G1c: each saw what the other one wrote", "[engine][check]") {
  STORY("1 puts x and gets y; 2 puts y and gets x.");
  const std::string text =
      "1:begin 2:begin 1:put(x,1) 2:put(y,1) 1:get(y)=1 2:get(x)=1 1:commit "
      "2:commit";
  CHECK_SAME(arrows(text), Arrows{"1 wr 2", "2 wr 1"});
  CHECK(holds(serializable(text), "G1c"));
  CHECK(holds(snapshot(text), "G1c"));
}

TEST_CASE("lost update: both saw a version, both wrote, both committed",
          "[engine][check]") {
  STORY("x = 1; 2 and 3 add to it; with numbers, with lists, from nothing.");
  for (const char* text :
       {"1:begin 1:put(x,1) 1:commit 2:begin 3:begin 2:get(x)=1 3:get(x)=1 "
        "2:put(x,2) 3:put(x,3) 2:commit 3:commit",
        "1:begin 1:put(x,[1]) 1:commit 2:begin 3:begin 2:get(x)=[1] "
        "3:get(x)=[1] 2:put(x,[1 2]) 3:put(x,[1 3]) 2:commit 3:commit",
        "2:begin 3:begin 2:get(x)=- 3:get(x)=- 2:put(x,2) 3:put(x,3) "
        "2:commit 3:commit"}) {
    INFO(text);
    CHECK(holds(serializable(text), "P4"));
    CHECK(holds(snapshot(text), "P4"));
  }
}

TEST_CASE("lists that do not grow from each other", "[engine][check]") {
  STORY("3 saw [1], 4 saw [2]; nobody says what the writers had seen.");
  const std::string text =
      "1:begin 2:begin 1:put(x,[1]) 2:put(x,[2]) 1:commit 2:commit "
      "3:begin 3:get(x)=[1] 3:commit 4:begin 4:get(x)=[2] 4:commit";
  CHECK(holds(serializable(text), "P4"));
  CHECK(holds(snapshot(text), "P4"));
}

TEST_CASE("G-single: x from before another one, y from after it",
          "[engine][check]") {
  STORY("x = y = 1; 2 makes both 2; 3 saw x = 1 and y = 2.");
  const std::string text =
      "1:begin 1:put(x,1) 1:put(y,1) 1:commit 2:begin 3:begin 3:get(x)=1 "
      "2:get(x)=1 2:put(x,2) 2:put(y,2) 2:commit 3:get(y)=2 3:commit";
  CHECK(holds(serializable(text), "G-single"));
  CHECK(holds(snapshot(text), "G-single"));
  CHECK(holds(snapshot(text), "G-SIa"));  // 2 committed after 3 had begun
}

TEST_CASE("G2-item, write skew: wrong if serializable, allowed to snapshots",
          "[engine][check]") {
  STORY("x = y = 1; 2 saw y and puts x, 3 saw x and puts y.");
  const std::string text =
      "1:begin 1:put(x,1) 1:put(y,1) 1:commit 2:begin 3:begin 2:get(y)=1 "
      "3:get(x)=1 2:put(x,2) 3:put(y,2) 2:commit 3:commit";
  CHECK_SAME(serializable(text), "G2-item");
  CHECK_SAME(snapshot(text), "");
  CHECK_SAME(allowed_by_snapshot(text), "G2-item");
}

TEST_CASE("G2-item from keys that are not there", "[engine][check]") {
  STORY("2 missed y and puts x, 3 missed x and puts y.");
  const std::string text =
      "2:begin 3:begin 2:get(y)=- 3:get(x)=- 2:put(x,2) 3:put(y,2) 2:commit "
      "3:commit";
  CHECK_SAME(arrows(text), Arrows{"2 rw 3", "3 rw 2"});
  CHECK_SAME(serializable(text), "G2-item");
  CHECK_SAME(snapshot(text), "");
}

TEST_CASE("G2, phantoms: each put what the other one's scan did not find",
          "[engine][check]") {
  STORY("Two scans of [a, z) find x = 1; then y and z come.");
  const std::string text =
      "1:begin 1:put(m,1) 1:commit 2:begin 3:begin 2:scan[a,z)={m=1} "
      "3:scan[a,z)={m=1} 2:put(x,2) 3:put(y,3) 2:commit 3:commit";
  CHECK_SAME(arrows(text), Arrows{"1 wr 2", "1 wr 3", "2 rwp 3", "3 rwp 2"});
  CHECK_SAME(serializable(text), "G2");
  CHECK_SAME(snapshot(text), "");
  CHECK_SAME(allowed_by_snapshot(text), "G2");
}

TEST_CASE("the bounds of a scan decide what it relied on", "[engine][check]") {
  STORY(
      "2 missed x and puts the key; 3 scanned a range and puts x. In the "
      "range: a cycle.");
  const auto with = [](const std::string& range, const std::string& key) {
    return serializable("2:begin 3:begin 2:get(x)=- 3:scan" + range +
                        "={} 2:put(" + key +
                        ",1) 3:put(x,1) 2:commit "
                        "3:commit");
  };
  CHECK_SAME(with("[b,d)", "a"), "");
  CHECK_SAME(with("[b,d)", "b"), "G2");
  CHECK_SAME(with("[b,d)", "c"), "G2");
  CHECK_SAME(with("[b,d)", "d"), "");
  CHECK_SAME(with("[b,d]", "d"), "G2");
  CHECK_SAME(with("[b,)", "z"), "G2");
  CHECK_SAME(with("[b,b)", "b"), "");
}

TEST_CASE("a removal that a scan relied on is a cycle, too",
          "[engine][check]") {
  STORY("m and n are there; each removes what the other one's scan found.");
  const std::string text =
      "1:begin 1:put(m,1) 1:put(n,1) 1:commit 2:begin 3:begin "
      "2:scan[a,z)={m=1 n=1} 3:scan[a,z)={m=1 n=1} 2:remove(m) 3:remove(n) "
      "2:commit 3:commit";
  CHECK_SAME(serializable(text), "G2-item");
  CHECK_SAME(snapshot(text), "");
}

TEST_CASE("three writers in a ring: side by side, and so allowed",
          "[engine][check]") {
  STORY("2 saw x and puts y, 3 saw y and puts z, 4 saw z and puts x.");
  const std::string text =
      "2:begin 3:begin 4:begin 2:get(x)=- 3:get(y)=- 4:get(z)=- 2:put(y,1) "
      "3:put(z,1) 4:put(x,1) 2:commit 3:commit 4:commit";
  CHECK_SAME(serializable(text), "G2-item");
  CHECK_SAME(snapshot(text), "");
  CHECK_SAME(allowed_by_snapshot(text), "G2-item");
}

TEST_CASE("two rw arrows apart from each other are wrong to snapshots, too",
          "[engine][check]") {
  STORY("Long fork: 1 puts x, 2 puts y; 3 saw x and not y, 4 saw y and not x.");
  const std::string text =
      "1:begin 2:begin 3:begin 4:begin 1:put(x,1) 2:put(y,1) 1:commit "
      "2:commit 3:get(x)=1 3:get(y)=- 4:get(y)=1 4:get(x)=- 3:commit 4:commit";
  const auto verdict = check::check(history_from(text), Isolation::snapshot);
  REQUIRE(std::ranges::any_of(verdict.wrong, [](const auto& finding) {
    return finding.anomaly == Anomaly::g2_item && finding.cycle.size() == 4;
  }));
}

TEST_CASE("the read-only anomaly of snapshots is allowed to them",
          "[engine][check]") {
  STORY(
      "Fekete, O'Neil and O'Neil 2004: 2 saw y and puts x, 3 puts y and "
      "commits, 4 saw y of 3 and not x of 2.");
  const std::string text =
      "2:begin 2:get(x)=- 2:get(y)=- 3:begin 3:get(y)=- 3:put(y,20) 3:commit "
      "4:begin 4:get(x)=- 4:get(y)=20 4:commit 2:put(x,-11) 2:commit";
  CHECK_SAME(snapshot(text), "");
  CHECK_SAME(allowed_by_snapshot(text), "G2-item");
  CHECK_SAME(serializable(text), "G2-item");
}

// One transaction alone.

TEST_CASE("one that contradicts itself", "[engine][check]") {
  STORY("Two values of one key; not its own write; a scan that differs.");
  CHECK_SAME(serializable("2:begin 2:get(x)=- 1:begin 1:put(x,1) 1:commit "
                          "2:get(x)=1 2:commit"),
             "unrepeatable");
  for (const char* reads :
       {"1:put(x,1) 1:get(x)=-", "1:put(x,1) 1:scan[a,z)={}",
        "1:get(x)=- 1:scan[a,z)={x=1} 1:put(x,1)",
        "1:put(x,1) 1:remove(x) 1:get(x)=1"}) {
    INFO(reads);
    CHECK_SAME(snapshot(std::string("1:begin ") + reads + " 1:commit"),
               "unrepeatable");
  }
}

TEST_CASE("a value that nobody wrote", "[engine][check]") {
  STORY("x = 7, by get, and by scan; nobody put it.");
  CHECK_SAME(serializable("1:begin 1:get(x)=7 1:commit"), "garbage");
  CHECK_SAME(snapshot("1:begin 1:scan[a,z)={x=7} 1:commit"), "garbage");
}

// Time.

TEST_CASE("a stale read is wrong, although some order explains it",
          "[engine][check]") {
  STORY("1 puts x and is over; then 2 begins, and sees nothing.");
  for (const char* end : {"", " 2:put(y,1)"}) {
    const std::string text =
        std::string("1:begin 1:put(x,1) 1:commit 2:begin 2:get(x)=-") + end +
        " 2:commit";
    CHECK_SAME(serializable(text), "G-single-realtime");
    CHECK_SAME(snapshot(text), "G-single-realtime");
  }
}

TEST_CASE("a read of what came after the snapshot is wrong",
          "[engine][check]") {
  STORY("2 begins; 1 puts x and commits; 2 sees it.");
  const std::string text =
      "2:begin 1:begin 1:put(x,1) 1:commit 2:get(x)=1 2:commit";
  CHECK_SAME(snapshot(text), "G-SIa");
}

TEST_CASE("of one session a later transaction sees the earlier one's",
          "[engine][check]") {
  STORY("Session 1 puts x, and then does not find it.");
  History history =
      history_from("1:begin 1:put(x,1) 1:commit 2:begin 2:get(x)=- 2:commit");
  history.traces[1].session = 1;
  const auto verdict = check::check(history, Isolation::snapshot);
  REQUIRE_SAME(verdict.wrong.size(), 1u);
  CHECK_SAME(check::short_name_of(verdict.wrong[0]), "G-single-session");
}

// What may be inferred of registers, and what may not.

TEST_CASE("of blind writes at the same time nothing is inferred",
          "[engine][check]") {
  STORY(
      "1 and 2 put x and y at the same time; 3, at the same time, saw x of 1, "
      "and 4 y of 2.");
  const std::string text =
      "1:begin 2:begin 1:put(x,1) 2:put(x,2) 1:put(y,1) 2:put(y,2) 1:commit "
      "2:commit 3:begin 4:begin 3:get(x)=1 4:get(x)=1 3:commit 4:commit";
  // But: who begins later and sees x of 1 shows that 2's is older.
  CHECK_SAME(arrows(text), Arrows{"1 wr 3", "1 wr 4", "2 ww 1"});
  CHECK_SAME(serializable(text), "");
  CHECK_SAME(serializable(text + " 5:begin 5:get(y)=2 5:commit"), "G0");
}

TEST_CASE("who wrote what it had read wrote the newer version",
          "[engine][check]") {
  STORY("1 puts x; 2 reads and puts x; 3, beside them, had read 1's.");
  CHECK_SAME(arrows("1:put(x,1) 1:commit 2:begin 3:begin 2:get(x)=1 2:put(x,2) "
                    "2:commit 3:get(x)=1 3:commit"),
             Arrows{"1 wr 2", "1 wr 3", "3 rw 2"});
}

TEST_CASE("which removal a read saw is inferred only where it is certain",
          "[engine][check]") {
  STORY("Nothing, or the removal by 2, or that by 3.");
  // 2 was over before 4 began, and 1 before 2: it is 2's.
  CHECK_SAME(arrows("1:put(x,1) 1:commit 2:begin 2:remove(x) 2:commit "
                    "4:begin 4:get(x)=- 4:commit"),
             Arrows{"1 ww 2", "2 wr 4"});
  // 2 and 3 at the same time: either's.
  CHECK_SAME(arrows("1:put(x,1) 1:commit 2:begin 3:begin 2:remove(x) "
                    "3:remove(x) 2:commit 3:commit 4:begin 4:get(x)=- "
                    "4:commit"),
             Arrows{"1 ww 2", "1 ww 3"});
  // 1 at the same time as 2: the empty store's or 2's.
  CHECK_SAME(arrows("1:begin 2:begin 1:put(x,1) 2:remove(x) 4:begin "
                    "4:get(x)=- 1:commit 2:commit 4:commit"),
             Arrows{"4 rw 1", "4 rw 2"});
}

TEST_CASE("a value that two wrote tells nothing", "[engine][check]") {
  STORY("1 and 2 both put x = 7; 3 saw 7.");
  CHECK_SAME(arrows("1:begin 2:begin 1:put(x,7) 2:put(x,7) 1:commit 2:commit "
                    "3:begin 3:get(x)=7 3:commit"),
             Arrows{});
}

// The story.

TEST_CASE("a write skew is told step by step, with a reason for each arrow",
          "[engine][check]") {
  STORY("2 saw y and puts x, 3 saw x and puts y; z is of no interest.");
  const History history = history_from(
      "1:begin 1:put(x,1) 1:put(y,1) 1:put(z,1) 1:commit 2:begin 3:begin "
      "2:get(y)=1 3:get(x)=1 3:get(z)=1 2:put(x,2) 3:put(y,3) 2:commit "
      "3:commit");
  Graph graph;
  const auto verdict = check::check(history, Isolation::serializable, graph);
  REQUIRE_SAME(verdict.wrong.size(), 1u);
  CHECK_SAME(
      check::tell(history, graph, verdict.wrong[0], Isolation::serializable),
      "write skew (G2-item), a cycle of 2\n\n"
      "T1                                     T2\n"
      "begin\n"
      "                                       begin\n"
      "get y = 1\n"
      "                                       get x = 1\n"
      "put x = 2\n"
      "                                       put y = 3\n"
      "commit\n"
      "                                       commit\n"
      "\n"
      "T1 ─rw─► T2  T1 saw y = 1; T2 wrote y = 3, and transaction 1 was over "
      "when T2\n      began.\n"
      "T2 ─rw─► T1  T2 saw x = 1; T1 wrote x = 2, and transaction 1 was over "
      "when T1\n      began.\n"
      "\n"
      "So T1 before T2 before T1: no order explains what they saw.\n"
      "(T1 is transaction 2 (session 2), T2 is transaction 3 (session 3))\n");
}

// Whole runs.

namespace {

check::Report run_model(const Flaws& flaws, Isolation isolation,
                        Workload workload, std::uint64_t seed = 1) {
  check::Settings settings;
  settings.plan = {.seed = seed,
                   .workload = workload,
                   .isolation = isolation,
                   .transactions = 300,
                   .keys = 6,
                   .turns = true};
  settings.histories = 20;
  return check::run_prove_on(settings,
                             [&](std::uint64_t) -> Result<check::Stage> {
                               return check::Stage{ModelStore(flaws).subject()};
                             });
}

}  // namespace

TEST_CASE("on a store without a flaw nothing is found", "[engine][check]") {
  STORY("20 histories of 300 transactions; both levels, both workloads.");
  const Isolation isolation =
      GENERATE(Isolation::serializable, Isolation::snapshot);
  const Workload workload = GENERATE(Workload::append, Workload::registers);
  const auto report = run_model({}, isolation, workload, 100);
  if (report.first) FAIL(report.first->story);
  CHECK_SAME(report.broken_off, "");
  // Or too little happened.
  CHECK(report.committed > 2'000);
  CHECK(report.refused > 500);
  CHECK(report.overlaps > 4'000);
  CHECK((report.allowed > 100) == (isolation == Isolation::snapshot));
}

TEST_CASE("a refusal needs a reason, where the order is known",
          "[engine][check]") {
  STORY("1 is refused; what had 2 committed since 1 began?");
  INVARIANT("only what a transaction asked about is a reason");
  constexpr auto kSnapshot = Isolation::snapshot;
  constexpr auto kSerializable = Isolation::serializable;
  // Read: found or not, or in a range.
  const std::string x = " 2:begin 2:put(x,9) 2:commit 1:put(z,1) 1:refused";
  CHECK_SAME(refusals("1:begin 1:get(x)=-" + x, kSerializable), "");
  CHECK_SAME(refusals("1:begin 1:get(y)=-" + x, kSerializable), "needless");
  CHECK_SAME(refusals("1:begin 1:scan[a,y)={}" + x, kSerializable), "");
  CHECK_SAME(refusals("1:begin 1:scan[a,x]={}" + x, kSerializable), "");
  CHECK_SAME(refusals("1:begin 1:scan[a,x)={}" + x, kSerializable), "needless");
  CHECK_SAME(refusals("1:begin 1:scan[y,)={}" + x, kSerializable), "needless");
  CHECK_SAME(refusals("1:begin 1:get(x)=-" + x, kSnapshot), "needless");
  // Written: counts under snapshot isolation, and only there.
  CHECK_SAME(refusals("1:begin 1:put(x,5)" + x, kSnapshot), "");
  CHECK_SAME(refusals("1:begin 1:put(x,5)" + x, kSerializable), "needless");
  // Its own write hides the key, if it came before the read.
  CHECK_SAME(refusals("1:begin 1:put(x,5) 1:get(x)=5" + x, kSerializable),
             "needless");
  CHECK_SAME(refusals("1:begin 1:get(x)=- 1:put(x,5)" + x, kSerializable), "");
  // Before its snapshot, and of one that did not commit.
  CHECK_SAME(refusals("2:begin 2:put(x,9) 2:commit 1:begin 1:get(x)=9 "
                      "1:put(z,1) 1:refused",
                      kSerializable),
             "needless");
  CHECK_SAME(refusals("1:begin 1:get(x)=- 2:put(x,9) 2:rollback 1:put(z,1) "
                      "1:refused",
                      kSerializable),
             "needless");
}

TEST_CASE("who needs what was forced out may be refused", "[engine][check]") {
  STORY("One record has room; 2 and 3 commit while 1 is open.");
  INVARIANT("the oldest record goes first, and the message blames the limit");
  const auto judged = [](const std::string& refusal, std::size_t room) {
    History history = history_from(
        "1:begin 1:get(z)=- 2:put(x,1) 2:commit 3:put(y,1) 3:commit 1:put(z,1) "
        "1:refused");
    history.in_turns = true;
    history.record_bytes = 10;
    history.max_records_bytes = room;
    history.traces.front().refusal = refusal;
    return wrong_names(history, Isolation::serializable);
  };
  const std::string blame = "max_commit_records_bytes";
  CHECK_SAME(judged(blame, 11), "");
  CHECK_SAME(judged(blame, 22), "reason needless");
  CHECK_SAME(judged("key \"z\"", 22), "needless");
  CHECK_SAME(judged("key \"z\1\"", 11), "reason");
}

TEST_CASE("records that nobody needs are noticed", "[engine][check]") {
  STORY("1 is open while 2 and 3 commit; 4 commits when nobody else is.");
  INVARIANT("kept is what an open transaction can still ask about");
  const auto judged = [](std::size_t after_3, std::size_t after_4) {
    History history = history_from(
        "1:begin 2:put(x,1) 2:commit 3:put(x,2) 3:put(y,1) 3:commit 1:commit "
        "4:begin 4:put(z,1) 4:commit");
    history.in_turns = true;
    history.traces[2].records = after_3;
    history.traces[3].records = after_4;
    return wrong_names(history, Isolation::serializable);
  };
  CHECK_SAME(judged(2, 1), "");  // x, y; 4 itself is open until it has answered
  CHECK_SAME(judged(0, 0), "");
  CHECK_SAME(judged(3, 1), "hoard");
  CHECK_SAME(judged(2, 2), "hoard");
}

TEST_CASE("a scan that was left open shows own writes as of its beginning",
          "[engine][check]") {
  STORY("Opened before the put of b, moved after it; the put of a is before.");
  const std::string puts = "1:begin 1:put(a,1) 1:put(b,2) ";
  CHECK_SAME(serializable(puts + "1:scan@1[a,c)={a=1}"), "");
  // To this scan b = 2 is not its own, and nobody had committed it.
  CHECK_SAME(serializable(puts + "1:scan@1[a,c)={a=1 b=2}"), "G-SIa");
  CHECK_SAME(serializable(puts + "1:scan@2[a,c)={a=1 b=2}"), "");
  CHECK_SAME(serializable(puts + "1:scan[a,c)={a=1}"), "unrepeatable");
  CHECK_SAME(serializable(puts + "1:scan@0[a,c)={}"), "");
  // The notation comes back as it went in.
  const std::string text = "1:begin\n1:scan@0[a,c)={}\n1:commit\n";
  CHECK_SAME(check::to_string(history_from(text)), text);
  CHECK(!check::parse_steps("1:scan@[a,c)={}"));
}

TEST_CASE("a store that refuses too much is told so", "[engine][check]") {
  STORY("The model relies on all of a scan's bounds, however far it went.");
  Settings settings;
  settings.plan = {
      .workload = Workload::registers, .transactions = 300, .turns = true};
  settings.histories = 10;
  const auto on_model = [&](std::optional<std::size_t> limit) {
    return check::run_prove_on(settings, [&](std::uint64_t) {
      return Result<check::Stage>(
          {.subject = ModelStore().subject(), .max_records_bytes = limit});
    });
  };
  const auto report = on_model(SIZE_MAX);
  REQUIRE(report.first);
  CHECK(report.anomalies[static_cast<std::size_t>(Anomaly::needless)] > 0);
  CHECK(report.first->story.find("had no need to be") != std::string::npos);
  CHECK_SAME(on_model(std::nullopt).bad, 0u);
}

TEST_CASE("with turns a seed is a history", "[engine][check]") {
  STORY("Twice the same seed, then another one.");
  const auto history = [](std::uint64_t seed) {
    const check::Plan plan{.seed = seed, .turns = true};
    return check::to_string(*check::run_history(plan, ModelStore().subject()));
  };
  CHECK_SAME(history(3), history(3));
  CHECK(history(3) != history(4));
}

TEST_CASE("each flaw of a store is found", "[engine][check]") {
  struct Case {
    const char* name;
    Flaws flaws;
    Isolation isolation;
    Workload workload;
  };
  constexpr auto kSnapshot = Isolation::snapshot;
  constexpr auto kSerializable = Isolation::serializable;
  constexpr auto kLists = Workload::append;
  constexpr auto kRegisters = Workload::registers;
  for (const Case& flawed : std::vector<Case>{
           {"no write check", {.no_write_check = true}, kSnapshot, kLists},
           {"no write check", {.no_write_check = true}, kSnapshot, kRegisters},
           {"no read check", {.no_read_check = true}, kSerializable, kLists},
           {"no read check",
            {.no_read_check = true},
            kSerializable,
            kRegisters},
           {"no miss check", {.no_miss_check = true}, kSerializable, kLists},
           {"no miss check",
            {.no_miss_check = true},
            kSerializable,
            kRegisters},
           {"no range check", {.no_range_check = true}, kSerializable, kLists},
           {"no range check",
            {.no_range_check = true},
            kSerializable,
            kRegisters},
           {"no gap check", {.no_gap_check = true}, kSerializable, kLists},
           {"no gap check", {.no_gap_check = true}, kSerializable, kRegisters},
           {"upper excluded", {.upper_excluded = true}, kSerializable, kLists},
           {"upper excluded",
            {.upper_excluded = true},
            kSerializable,
            kRegisters},
           {"lower excluded", {.lower_excluded = true}, kSerializable, kLists},
           {"lower excluded",
            {.lower_excluded = true},
            kSerializable,
            kRegisters},
           {"off by one", {.off_by_one = true}, kSerializable, kLists},
           {"off by one", {.off_by_one = true}, kSnapshot, kRegisters},
           {"no snapshot", {.no_snapshot = true}, kSnapshot, kLists},
           {"no snapshot", {.no_snapshot = true}, kSerializable, kRegisters},
           {"old snapshot", {.old_snapshot = true}, kSnapshot, kRegisters},
           {"old snapshot", {.old_snapshot = true}, kSerializable, kLists},
           {"not its own", {.not_own = true}, kSnapshot, kLists},
           {"dirty", {.dirty = true}, kSnapshot, kLists},
           {"dirty", {.dirty = true}, kSerializable, kRegisters},
           {"forgets rollback", {.forgets_rollback = true}, kSnapshot, kLists},
           {"half visible", {.half_visible = true}, kSnapshot, kLists},
           {"half visible", {.half_visible = true}, kSnapshot, kRegisters},
           {"resurrects", {.resurrects = true}, kSnapshot, kRegisters}}) {
    const auto report =
        run_model(flawed.flaws, flawed.isolation, flawed.workload);
    INFO(
        flawed.name << (flawed.isolation == kSnapshot ? ", snapshot"
                                                      : ", serializable")
                    << (flawed.workload == kLists ? ", lists" : ", registers"));
    CHECK_SAME(report.broken_off, "");
    CHECK(report.bad > 0);
  }
}

}  // namespace lsm::test
