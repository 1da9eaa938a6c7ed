// The kept figures: what is read of a report, what a damaged file costs, and
// the picture.
#include "bench_history.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rooms.h"
#include "support/catch.h"
#include "support/teach.h"
#include "toy_course.h"

namespace lsm::course {
namespace {

// As lsm-bench writes it with --json, cut down to what is read.
constexpr const char* kReport = R"({
 "schema": 1,
 "config": {"num": 1000, "key_bytes": 16, "value_bytes": 100,
            "policy": "leveled"},
 "samples": [
  {"round": 1, "engine": "lsm", "row": "fillseq", "unit": "ops/s", "value": 1},
  {"round": 1, "engine": "leveldb", "row": "fillseq", "unit": "ops/s",
   "value": 1},
  {"round": 2, "engine": "lsm", "row": "fillseq", "unit": "ops/s", "value": 3},
  {"round": 1, "engine": "lsm", "row": "settle", "unit": "s", "value": 1},
  {"round": 1, "engine": "leveldb", "row": "theirs", "unit": "s", "value": 1}
 ],
 "medians": {"fillseq": {"lsm": 2000000, "leveldb": 1000000},
             "settle": {"lsm": 0.5}, "theirs": {"leveldb": 1}}
})";

BenchRun run_at(const std::string& time, double mine,
                std::optional<double> leveldb = {}) {
  BenchRun run;
  run.time = time;
  run.rooms = "1.1 1.2 1.3";
  run.entries = 1000;
  run.key_bytes = 16;
  run.value_bytes = 100;
  run.policy = "leveled";
  run.rows = {{"fillrandom", {"ops/s", mine, leveldb}},
              {"readrandom, tree", {"ops/s", mine * 2, leveldb}},
              {"settle", {"s", 0.5, 0.25}}};
  return run;
}

// Every element is closed, in order, and every attribute is quoted; enough
// for what plot() writes (no comments, no sections).
std::string why_not_well_formed(std::string_view svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string_view::npos;
       at = svg.find('<', at)) {
    const std::size_t end = svg.find('>', at);
    if (end == std::string_view::npos) return "a tag is not closed";
    const std::string_view tag = svg.substr(at + 1, end - at - 1);
    at = end;
    const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
    if (std::ranges::count(tag, '"') % 2 != 0) return "a quote is not closed";
    if (tag.find('<') != std::string_view::npos) return "a tag in a tag";
    if (tag.starts_with('/')) {
      if (open.empty() || "/" + open.back() != name) return "wrong end " + name;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : open.back() + " stays open";
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1)) {
    count++;
  }
  return count;
}

TEST_CASE("a report's medians become a run", "[course][bench]") {
  const auto run = run_of_report(kReport, "2026-11-22T18:00:00Z", "1.1 1.4");
  REQUIRE(run.has_value());
  CHECK_SAME(run->rooms, "1.1 1.4");
  CHECK_SAME(run->entries, 1000);
  REQUIRE(run->rows.size() == 2);  // not what only the other measured
  CHECK_SAME(run->rows[0].first, "fillseq");
  CHECK_SAME(run->rows[0].second.mine, 2000000.0);
  CHECK_SAME(run->rows[0].second.leveldb.value_or(0), 1000000.0);
  CHECK_SAME(run->rows[1].second.unit, "s");
  CHECK(!run->rows[1].second.leveldb.has_value());

  std::string wrong = kReport;
  wrong.insert(wrong.find("\"value\": 3"), "\"wrong\": \"17 gets\", ");
  CHECK(!run_of_report(wrong, "", "").has_value());
}

TEST_CASE("what is appended is read back", "[course][bench]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "build" / "history.jsonl";
  CHECK(read_history(file).runs.empty());  // no file yet
  append_run(file, run_at("2026-11-20T08:00:00Z", 5e5, 1e6));
  append_run(file, run_at("2026-11-21T08:00:00Z", 9e5));
  const History history = read_history(file);
  CHECK(history.damaged.empty());
  REQUIRE(history.runs.size() == 2);
  CHECK_SAME(history.runs[0].time, "2026-11-20T08:00:00Z");
  CHECK_SAME(history.runs[0].rooms, "1.1 1.2 1.3");
  REQUIRE(history.runs[0].rows.size() == 3);
  CHECK_SAME(history.runs[0].rows[1].first, "readrandom, tree");
  CHECK_SAME(history.runs[0].find("fillrandom")->mine, 5e5);
  CHECK_SAME(history.runs[0].find("fillrandom")->leveldb.value_or(0), 1e6);
  CHECK(!history.runs[1].find("fillrandom")->leveldb.has_value());
}

TEST_CASE("a damaged line costs no other", "[course][bench]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "history.jsonl";
  append_run(file, run_at("2026-11-20T08:00:00Z", 5e5));
  const std::string whole = read_file(file);
  // A number where a name must stand, not JSON at all, and a torn last line.
  const std::string damaged =
      whole + "{\"time\": 7}\nnot JSON\n" + whole.substr(0, whole.size() / 2);
  write_if_changed(file, damaged);
  History history = read_history(file);
  CHECK_SAME(history.runs.size(), 1);
  CHECK(history.damaged == std::vector<std::size_t>{2, 3, 4});
  append_run(file, run_at("2026-11-21T08:00:00Z", 6e5));
  history = read_history(file);
  CHECK_SAME(history.runs.size(), 2);
  CHECK(history.damaged == std::vector<std::size_t>{2, 3, 4});
  CHECK(read_file(file).starts_with(damaged));  // nothing is lost
}

TEST_CASE("only runs of one setting are compared", "[course][bench]") {
  History history;
  for (int i = 0; i < 20; i++) {
    history.runs.push_back(run_at("t" + std::to_string(i), 1e5));
  }
  history.runs[18].entries = 77;
  const auto runs = plotted_runs(history);
  CHECK_SAME(runs.size(), 12);  // the last ones
  CHECK_SAME(runs.front().time, "t7");
  CHECK_SAME(runs[10].time, "t17");
  CHECK_SAME(runs.back().time, "t19");
}

TEST_CASE("rooms are named shortly", "[course][bench]") {
  CHECK_SAME(short_rooms(""), "");
  CHECK_SAME(short_rooms("1.1"), "1.1");
  CHECK_SAME(short_rooms("1.1 1.2"), "1.1-1.2");
  CHECK_SAME(short_rooms("1.1 1.2 1.3 1.5 1.7 2.1 2.2"),
             "1.1-1.3 1.5 1.7 2.1-2.2");
}

TEST_CASE("the picture is well-formed and begins at zero", "[course][bench]") {
  std::vector<BenchRun> runs = {run_at("2026-11-20T08:00:00Z", 4e5, 1e6),
                                run_at("2026-11-21T08:00:00Z", 9e5),
                                run_at("2026-11-22T08:00:00Z", 12e5, 1e6)};
  runs[1].rooms = "1.1 <&\"";
  const std::string svg = plot(runs);
  CHECK_SAME(why_not_well_formed(svg), "");
  // Two rows are rates: a panel each, three dots of mine, two of LevelDB's.
  CHECK_SAME(count_of(svg, "<g transform"), 2);
  CHECK_SAME(count_of(svg, "class=\"mine-dot\""), 6);
  CHECK_SAME(count_of(svg, "class=\"other-dot\""), 4);
  CHECK(contains(svg, ">readrandom, tree</text>"));
  CHECK(contains(svg, ">0</text>"));
  CHECK(contains(svg, "1.1 &lt;&amp;&quot;"));
  CHECK(!contains(svg, "nan"));
  // LevelDB was not measured in the middle: its line is broken there.
  CHECK(contains(svg, "yours: 900 thousand ops/s"));
}

TEST_CASE("no plot of nothing", "[course][bench]") {
  CHECK(plot({run_at("2026-11-20T08:00:00Z", 4e5)}).empty());
  BenchRun other = run_at("2026-11-21T08:00:00Z", 4e5);
  other.rows = {{"fillsync", {"ops/s", 1, {}}}};
  CHECK(plot({run_at("2026-11-20T08:00:00Z", 4e5), other}).empty());
  // Rates of zero are drawn, too.
  const std::string svg = plot(
      {run_at("2026-11-20T08:00:00Z", 0), run_at("2026-11-21T08:00:00Z", 0)});
  CHECK_SAME(why_not_well_formed(svg), "");
  CHECK(!contains(svg, "nan"));
}

TEST_CASE("runs of mine are kept, and plotted", "[course][bench][toy]") {
  const ToyCourse toy;
  if (!toy.ready) return;
  const fs::path file = toy.root / "build/course/bench_history.jsonl";
  Finished said = toy.course({"bench", "--history"});
  INFO(said.output << said.errors);
  CHECK(said.status == 1);
  CHECK(contains(said.output, "./course bench --mine"));

  // A bench that leaves the report above where it is told to.
  write_if_changed(toy.root / "report.json", kReport);
  const fs::path script = toy.root / "bench.sh";
  write_if_changed(script,
                   "#!/bin/sh\n[ \"$1 $2\" = '--num 1000' ] || exit 9\n"
                   "cp '" +
                       (toy.root / "report.json").string() + "' \"$4\"\n");
  fs::permissions(script, fs::perms::owner_all);
  toy.course({"mine", "--rooms", "1.1"});
  for (int run = 1; run <= 2; run++) {
    // What stands behind "--" is lsm-bench's, too.
    said = toy.course(
        run == 1 ? std::vector<std::string>{"bench", "--mine", "--num", "1000"}
                 : std::vector<std::string>{"bench", "--mine", "--", "--num",
                                            "1000"});
    INFO(said.output << said.errors);
    CHECK(said.status == 0);
    CHECK_SAME(read_history(file).runs.size(), run);
    CHECK_SAME(read_history(file).runs.back().rooms, "1.1");
    said = toy.course({"bench", "--history"});
    INFO(said.output << said.errors);
    CHECK(said.status == 0);
    CHECK(contains(said.output, "fillseq"));
    CHECK(contains(said.output, run == 1 ? "One run makes no curve"
                                         : "build/course/bench_history.svg"));
  }
  CHECK_SAME(why_not_well_formed(
                 read_file(toy.root / "build/course/bench_history.svg")),
             "");

  write_if_changed(file, read_file(file) + "garbage\n");
  said = toy.course({"bench", "--history"});
  CHECK(said.status == 1);
  CHECK(contains(said.errors, "build/course/bench_history.jsonl:3: "));
  CHECK(contains(said.output, "2 runs"));

  // A run that fails leaves nothing.
  write_if_changed(script, "#!/bin/sh\nexit 2\n");
  CHECK(toy.course({"bench", "--mine"}).status == 2);
  CHECK_SAME(read_history(file).runs.size(), 2);
}

}  // namespace
}  // namespace lsm::course
