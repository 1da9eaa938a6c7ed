// Tests of the learner's command: what it reads (reports, sources, pages,
// hints, compiler output), what it chooses, and one room worked through from
// the untouched starter to gold with the real tool.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "builder.h"
#include "commands.h"
#include "guide.h"
#include "process.h"
#include "progress.h"
#include "rooms.h"
#include "stream.h"
#include "support/catch.h"
#include "support/teach.h"
#include "syllabus.h"
#include "toy_course.h"
#include "verdict.h"

namespace {

namespace fs = std::filesystem;
using namespace lsm::course;

// What Catch2 2.13 writes: a <Group>, and the description attribute.
constexpr const char* kReportOfCatch2 = R"(<?xml version="1.0"?>
<Catch name="suite_1_1_mine">
  <Group name="suite_1_1_mine">
    <TestCase name="a put is found" description="" tags="[1.1][core][task-1]" filename="/t/day1.cpp" line="6">
      <OverallResult success="true" durationInSeconds="0.25"/>
    </TestCase>
    <TestCase name="the newest &lt;version&gt; wins" tags="[1.1][core][task-2]" filename="/t/day1.cpp" line="11">
      <Info>
        scenario: Put a = 1, then a = 2; get a.
      </Info>
      <Info>
        invariant: I1 keys ascend
      </Info>
      <Info>
        invariant: I2 the newest version comes first
      </Info>
      <Info>
        seed: 42
      </Info>
      <Info>
        checked: table.get(&quot;a&quot;)
      </Info>
      <Info>
        expected: &quot;2&quot;
      </Info>
      <Info>
        seen: &quot;1&quot;
      </Info>
      <Info>
        bytes:
expected 0000  32
seen     0000  31
               ^^ byte 0
      </Info>
      <Failure filename="/t/day1.cpp" line="18">
        not what was expected
      </Failure>
      <Info>
        seen: &quot;second failure&quot;
      </Info>
      <Failure filename="/t/day1.cpp" line="19"/>
      <OverallResult success="false"/>
    </TestCase>
    <TestCase name="scan" tags="[1.1][gold][task-3]" filename="/t/day1.cpp" line="30">
      <Info>
        scenario: Scan.
      </Info>
      <Expression success="false" type="TEST_CASE" filename="/t/day1.cpp" line="30">
        <Original>
          {Unknown expression after the reported line}
        </Original>
        <Expanded>
          {Unknown expression after the reported line}
        </Expanded>
        <Exception filename="/t/day1.cpp" line="30">
          not implemented yet: 1.1 task 3 — MemTable::iterator
        </Exception>
      </Expression>
      <OverallResult success="false"/>
    </TestCase>
    <OverallResults successes="3" failures="3" expectedFailures="0"/>
  </Group>
</Catch>
)";

// What Catch2 3 writes: another root, no group, skips; a section inside.
constexpr const char* kReportOfCatch3 = R"(<?xml version="1.0"?>
<Catch2TestRun name="suite" rng-seed="7" xml-format-version="3" catch2-version="3.4.0">
  <TestCase name="seek" tags="[1.2][core][task-4]" filename="/t/day2.cpp" line="9">
    <Section name="past the end" filename="/t/day2.cpp" line="12">
      <Expression success="false" type="CHECK" filename="/t/day2.cpp" line="14">
        <Original>
          !iterator.valid()
        </Original>
        <Expanded>
          false
        </Expanded>
      </Expression>
      <OverallResults successes="0" failures="1" expectedFailures="0" skipped="false"/>
    </Section>
    <OverallResult success="false" skips="0"/>
  </TestCase>
  <TestCase name="next" tags="[1.2][core][task-4]" filename="/t/day2.cpp" line="20">
    <OverallResult success="true" skips="0"/>
  </TestCase>
  <OverallResults successes="1" failures="1" expectedFailures="0" skips="0"/>
</Catch2TestRun>
)";

TestResult result_of(int task, bool gold, Outcome outcome) {
  TestResult result;
  result.test.task = task;
  result.test.gold = gold;
  result.outcome = outcome;
  return result;
}

// A suite of one test in which two threads add to a number: to an atomic, or
// to a plain one. It writes its report itself, so that it needs no Catch2 that
// was built with the same sanitizer.
constexpr const char* kThreadedSuite = R"(#include <atomic>
#include <cstdio>
#include <thread>
NUMBER number = 0;
void add() {
  for (int i = 0; i < 1000; i++) number = number + 1;
}
int main() {
  std::puts("<Catch><TestCase name=\"two threads add\">");
  std::fflush(stdout);
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  std::puts("<OverallResult success=\"true\"/></TestCase></Catch>");
}
)";

// A checkout with one room whose suite has threads.
struct ThreadedCourse {
  TemporaryFolder folder;
  fs::path root = folder.path;
  bool ready = false;

  ThreadedCourse() {
    write_if_changed(root / "solutions/week1/day1_memtable/memtable.h",
                     kHeader);
    write_if_changed(root / "week1/day1_memtable/memtable.h",
                     std::string(kHeader) + "// mine\n");
    write_if_changed(root / "tests/week1/day1_memtable_test.cpp",
                     "TEST_CASE(\"two threads add\", "
                     "\"[1.1][task-1][core]\") {\n}\n");
    write_if_changed(root / "CMakeLists.txt", R"(
cmake_minimum_required(VERSION 3.25)
project(toy LANGUAGES CXX)
find_package(Threads REQUIRED)
add_executable(suite_1_1_mine EXCLUDE_FROM_ALL suite.cpp)
target_link_libraries(suite_1_1_mine PRIVATE Threads::Threads)
if(LSM_SANITIZE)
  target_compile_options(suite_1_1_mine PRIVATE -g -fsanitize=${LSM_SANITIZE})
  target_link_options(suite_1_1_mine PRIVATE -fsanitize=${LSM_SANITIZE})
endif()
set_target_properties(suite_1_1_mine PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/suites)
)");
    number_is("std::atomic<int>");
    const Finished probe = run(
        {LSM_TEST_COMPILER, "-fsanitize=thread", "suite.cpp", "-o", "probe"},
        root);
    ready = probe.status == 0;
    if (!ready) WARN("the compiler has no ThreadSanitizer: " << probe.errors);
    const Finished configured = run(
        {"cmake", "-S", root.string(), "-B", (root / "build/course").string(),
         "-DCMAKE_CXX_COMPILER=" LSM_TEST_COMPILER});
    INFO(configured.errors);
    REQUIRE(configured.status == 0);
  }

  void number_is(const std::string& type) const {
    write_if_changed(root / "suite.cpp",
                     "#define NUMBER " + type + "\n" + kThreadedSuite);
  }

  Finished course(const std::vector<std::string>& arguments) const {
    setenv("COURSE_ROOT", root.c_str(), 1);
    setenv("LC_ALL", "C", 1);
    std::vector<std::string> argv = {LSM_TEST_COURSE};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv, "/");
  }
};

}  // namespace

TEST_CASE("a report of Catch2 2.13 is read", "[course][verdict]") {
  const auto results = parse_report(kReportOfCatch2);
  REQUIRE(results.size() == 3);
  CHECK_SAME(results[0].test.name, "a put is found");
  CHECK(results[0].outcome == Outcome::passed);
  CHECK(results[0].seconds == 0.25);
  CHECK_SAME(results[1].test.name, "the newest <version> wins");
  CHECK(results[1].outcome == Outcome::failed);
  CHECK_SAME(results[1].failures, 2);
  CHECK_SAME(results[2].test.task, 3);
  CHECK(results[2].test.gold);
  CHECK(open_case(kReportOfCatch2).empty());
}

TEST_CASE("the parts of a failure are told apart", "[course][verdict]") {
  const auto results = parse_report(kReportOfCatch2);
  REQUIRE(results.size() == 3);
  REQUIRE(results[1].failure.has_value());
  const Failure& failure = *results[1].failure;
  CHECK_SAME(failure.scenario, "Put a = 1, then a = 2; get a.");
  CHECK_SAME(failure.invariant, "I2 the newest version comes first");
  CHECK_SAME(failure.seed, "42");
  CHECK_SAME(failure.checked, "table.get(\"a\")");
  CHECK_SAME(failure.expected, "\"2\"");
  CHECK_SAME(failure.seen, "\"1\"");
  CHECK_SAME(failure.bytes,
             "expected 0000  32\nseen     0000  31\n               ^^ byte 0");
  CHECK_SAME(failure.message, "not what was expected");
  CHECK_SAME(failure.line, 18);
}

TEST_CASE("an unwritten task is told from a wrong one", "[course][verdict]") {
  const auto results = parse_report(kReportOfCatch2);
  REQUIRE(results.size() == 3);
  CHECK(results[2].outcome == Outcome::not_implemented);
  CHECK_SAME(results[2].failure->scenario, "Scan.");
  CHECK_SAME(results[2].failure->checked, "");
}

TEST_CASE("a report of Catch2 3 is read", "[course][verdict]") {
  const auto results = parse_report(kReportOfCatch3);
  REQUIRE(results.size() == 2);
  CHECK(results[0].outcome == Outcome::failed);
  CHECK_SAME(results[0].failure->checked, "!iterator.valid()");
  CHECK_SAME(results[0].failure->seen, "false");
  CHECK_SAME(results[0].failure->line, 14);
  CHECK(results[1].outcome == Outcome::passed);
}

TEST_CASE("a report that breaks off names the open test", "[course][verdict]") {
  for (const std::string report : {kReportOfCatch2, kReportOfCatch3}) {
    const std::size_t at = report.rfind("<TestCase");
    const std::size_t end = report.find("</TestCase>", at);
    // Wherever it is cut inside the test, or even inside a tag of it.
    for (std::size_t cut = report.find('>', at) + 1; cut < end; cut += 3) {
      const auto results = parse_report(report.substr(0, cut));
      const std::string open = open_case(report.substr(0, cut));
      REQUIRE(!results.empty());
      CHECK(results.back().test.name == open);
      CHECK(results.back().outcome == Outcome::not_run);
    }
  }
  CHECK(parse_report("").empty());
  CHECK(parse_report("Segmentation fault").empty());
}

TEST_CASE("a suite's source tells its test cases", "[course][verdict]") {
  const auto cases = cases_of(
      "// TEST_CASE(\"no\", \"[task-1]\")\n"
      "TEST_CASE(\"one, two\", \"[1.1][task-2][core]\") {\n"
      "  STORY(\"Insert a@1, \"\n        \"then a@2.\");\n}\n"
      "\nTEST_CASE(\n    \"a \\\"quoted\\\" \"\n    \"name\",\n"
      "    \"[1.1][task-3]\"\n    \"[gold]\") {}\n");
  REQUIRE(cases.size() == 2);
  CHECK_SAME(cases[0].name, "one, two");
  CHECK_SAME(cases[0].task, 2);
  CHECK(!cases[0].gold);
  CHECK_SAME(cases[0].line, 2);
  CHECK_SAME(cases[0].last_line, 5);
  CHECK_SAME(cases[0].story, "Insert a@1, then a@2.");
  CHECK_SAME(cases[1].name, "a \"quoted\" name");
  CHECK_SAME(cases[1].task, 3);
  CHECK(cases[1].gold);
  CHECK_SAME(cases[1].line, 7);
}

TEST_CASE("core comes before gold, then the lowest task", "[course][verdict]") {
  Verdict verdict;
  verdict.tests = {result_of(1, false, Outcome::passed),
                   result_of(1, true, Outcome::failed),
                   result_of(3, false, Outcome::failed),
                   result_of(2, false, Outcome::not_implemented),
                   result_of(2, false, Outcome::failed)};
  CHECK(verdict.first_failure() == &verdict.tests[3]);
  CHECK_SAME(verdict.core().passed, 1);
  CHECK_SAME(verdict.core().total, 4);
  CHECK(!verdict.green());
  // A test that hangs tells less than one of its task that fails.
  verdict.tests[3].outcome = Outcome::hung;
  CHECK(verdict.first_failure() == &verdict.tests[4]);
  verdict.tests[4].outcome = Outcome::not_run;
  CHECK(verdict.first_failure() == &verdict.tests[3]);
  for (TestResult& result : verdict.tests) {
    if (!result.test.gold) result.outcome = Outcome::passed;
  }
  CHECK(verdict.green());
  CHECK(!verdict.whole());
  CHECK(verdict.first_failure() == &verdict.tests[1]);
  CHECK(!Verdict{}.green());  // no tests, no merit
}

TEST_CASE("holes are found, but not in comments", "[course][verdict]") {
  const auto holes = holes_of("1.1",
                              "// LSM_TODO(\"1.1 task 1\", \"no\");\n"
                              "/* LSM_TODO(\"1.1 task 2\",\n \"no\"); */\n"
                              "int f() { LSM_TODO(\"1.1 task 6\",\n"
                              "    \"f, its \"\n\"middle\"); }\n"
                              "LSM_TODO(\"1.2 task 1\", \"another day's\");\n"
                              "LSM_TODO(\"1.1 task 12\", \"g\");\n"
                              "LSM_TODO(");
  REQUIRE(holes.size() == 2);
  CHECK_SAME(holes[0].task, 6);
  CHECK_SAME(holes[0].label, "f, its middle");
  CHECK_SAME(holes[0].line, 4);
  CHECK_SAME(holes[1].task, 12);
}

TEST_CASE("a test that passes beside a hole of its task does not count",
          "[course][verdict]") {
  Verdict verdict;
  verdict.tests = {result_of(1, false, Outcome::passed),
                   result_of(6, true, Outcome::passed),
                   result_of(6, true, Outcome::failed)};
  hold_back(verdict, "1.1", {{.task = 6, .label = "f", .line = 9}}, "a.cpp");
  CHECK(verdict.tests[0].outcome == Outcome::passed);
  CHECK(verdict.tests[1].outcome == Outcome::not_implemented);
  CHECK(verdict.tests[2].outcome == Outcome::failed);
  REQUIRE(verdict.tests[1].failure.has_value());
  CHECK_SAME(verdict.tests[1].failure->message,
             "not implemented yet: 1.1 task 6 — f");
  CHECK_SAME(verdict.tests[1].failure->file, "a.cpp");
  CHECK_SAME(verdict.tests[1].failure->line, 9);
  CHECK(verdict.green());
  CHECK(!verdict.whole());
}

TEST_CASE("a day is understood however it is typed", "[course][days]") {
  for (const char* typed :
       {"1.3", "1-3", "day 1.3", "table", "Table", "week1/day3", "day1.3",
        "week1/day3_table", "week1/day3_table/", "w1/day3"}) {
    INFO(typed);
    CHECK_SAME(parse_day(typed), "1.3");
  }
  for (const char* typed :
       {"", "1", "13", "1.8", "4.1", "0.1", "1.3.1", "tabel",
        "week1/day3_block", "--task", "-1.3", "1.34"}) {
    INFO(typed);
    CHECK_SAME(parse_day(typed), "");
  }
  for (const char* typed : {"read_path", "read path", "Read-Path"}) {
    INFO(typed);
    CHECK_SAME(parse_day(typed), "1.5");
  }
  CHECK_SAME(nearest_day("tabel"), "table");
  CHECK_SAME(nearest_day("memtabel"), "memtable");
  CHECK_SAME(nearest_day("xyzzy"), "");
}

TEST_CASE("headings become mdBook's anchors", "[course][guide]") {
  CHECK_SAME(anchor_of("Task 1: Put a value"), "task-1-put-a-value");
  CHECK_SAME(anchor_of("Task 2: `Toy::get` and its order"),
             "task-2-toyget-and-its-order");
  CHECK_SAME(title_of("Task 2: `Toy::get` and more"), "Toy::get and more");
  CHECK_SAME(title_of("Task 2 — the order"), "the order");
  CHECK_SAME(title_of("Task 6: the finger (gold)"), "the finger");
  const auto headings =
      task_headings("# Day\n## Task 1: A\ntext\n## Task 2: B\n## Run it\n");
  REQUIRE(headings.size() == 2);
  CHECK_SAME(headings.at(2), "Task 2: B");
}

TEST_CASE("hints are read by task and tier", "[course][guide]") {
  const auto hints = parse_hints(
      "# Hints\nIntroduction.\n## Task 1 — Put\n### Hint 1\n\nA question?\n\n"
      "More.\n### Hint 2\nShape.\n## Task 3 — Scan\n### Hint 1\nLast.\n");
  REQUIRE(hints.size() == 2);
  REQUIRE(hints.at(1).size() == 2);
  CHECK_SAME(hints.at(1)[0], "A question?\n\nMore.");
  CHECK_SAME(hints.at(1)[1], "Shape.");
  CHECK_SAME(hints.at(3)[0], "Last.");
}

TEST_CASE("an invariant is found with its second line", "[course][guide]") {
  const auto second = find_invariant(kHeader, "I2");
  REQUIRE(second.has_value());
  CHECK_SAME(second->text,
             "I2 The newest version of a key comes first, whatever the order "
             "of insertion was.");
  CHECK_SAME(second->line, 3);
  CHECK_SAME(find_invariant(kHeader, "I1")->text,
             "I1 Keys are kept in ascending order.");
  CHECK(!find_invariant(kHeader, "I3").has_value());
  CHECK_SAME(invariant_number("I12 many"), "I12");
  CHECK_SAME(invariant_number("It is"), "");
}

TEST_CASE("an invariant's second line may begin with another's number",
          "[course][guide]") {
  constexpr const char* kBoth =
      "// I1 Kept, so that\n//    I2 has something to say.\n// I2 Said.\n";
  CHECK_SAME(find_invariant(kBoth, "I1")->text,
             "I1 Kept, so that I2 has something to say.");
  CHECK_SAME(find_invariant(kBoth, "I2")->line, 3);
}

TEST_CASE("every promise that a suite cites by its header is found there",
          "[course][guide]") {
  const Course course = discover(LSM_SOURCE_ROOT, "build");
  constexpr std::string_view kCite = "INVARIANT(\"";
  int found = 0;
  for (const Room& room : course.rooms) {
    const std::string suite = read_file(room.suite);
    for (std::size_t at = suite.find(kCite); at != std::string::npos;
         at = suite.find(kCite, at + 1)) {
      const std::size_t begin = at + kCite.size();
      const std::string cited =
          suite.substr(begin, suite.find('"', begin) - begin);
      if (invariant_number(cited).empty() ||
          cited.find(".h") == std::string::npos) {
        continue;
      }
      INFO(room.id << ": " << cited);
      CHECK(find_invariant(course, room, cited).has_value());
      ++found;
    }
  }
  CHECK(found > 300);
}

TEST_CASE("compiler errors: the learner's file first", "[course][build]") {
  const auto errors = compile_errors(
      "[3/9] Building CXX object a.o\nFAILED: a.o\n"
      "In file included from /c/tests/week1/day1_memtable_test.cpp:1:\n"
      "/c/tests/week1/day1_memtable_test.cpp:9:3: error: no member 'put'\n"
      "    9 |   toy.put();\n      |       ^~~\n"
      "/c/week1/day1_memtable/memtable.h:4:1: error: expected ';'\n"
      "    4 | class X {}\n      |           ^\n"
      "/c/week1/day1_memtable/memtable.h:4:1: error: expected ';'\n"
      "/usr/bin/ld: a.o: in function `f':\n"
      "a.cpp:(.text+0x5): undefined reference to `Toy::get(int) const'\n",
      "/c", "week1/day1_memtable");
  REQUIRE(errors.size() == 3);
  CHECK_SAME(errors[0].file, "week1/day1_memtable/memtable.h");
  CHECK_SAME(errors[0].line, 4);
  CHECK_SAME(errors[0].message, "expected ';'");
  CHECK_SAME(errors[0].source.size(), 2);
  CHECK_SAME(errors[1].message,
             "declared but not defined: Toy::get(int) const");
  CHECK_SAME(errors[2].file, "tests/week1/day1_memtable_test.cpp");
  CHECK_SAME(last_lines("a\nb\nc\n", 2), "b\nc");
  CHECK_SAME(last_lines("a", 2), "a");
}

TEST_CASE("a program that stops talking is ended", "[course][run]") {
  using std::chrono::milliseconds;
  const auto ignore = [](std::string_view) { return false; };
  const Streamed hung = stream({"sh", "-c", "echo started; exec sleep 60"},
                               milliseconds(200), ignore);
  CHECK(hung.timed_out);
  CHECK_SAME(hung.output, "started\n");
  const Streamed crashed =
      stream({"sh", "-c", "kill -ABRT $$"}, milliseconds(60'000), ignore);
  CHECK_SAME(crashed.signal, SIGABRT);
  const Streamed ended = stream({"sh", "-c", "echo a; echo b >&2; exit 3"},
                                milliseconds(60'000), ignore);
  CHECK_SAME(ended.status, 3);
  CHECK_SAME(ended.output, "a\n");
  CHECK_SAME(ended.errors, "b\n");
}

TEST_CASE("a URL never leads out of the book", "[course][book]") {
  const fs::path book = "/srv/book";
  CHECK_SAME(path_of_url(book, "/week1/day1.html?x#y").string(),
             "/srv/book/week1/day1.html");
  CHECK_SAME(path_of_url(book, "/a%20b.html").string(), "/srv/book/a b.html");
  for (const char* url : {"/../etc/passwd", "/a/../../b", "/%2e%2e/b", "a",
                          "/%00", "/%2", "//etc/passwd"}) {
    INFO(url);
    CHECK_SAME(path_of_url(book, url).string(), "");
  }
}

TEST_CASE("the next day is the first that is not green", "[course][days]") {
  TemporaryFolder folder;
  for (const char* day : {"week1/day1_memtable", "week1/day2_block"}) {
    const std::string source = "int f() {\n  // ANCHOR: task-1-" +
                               std::string(day + 9, 1) +
                               "-1 f\n  return 1;\n  // ANCHOR_END: task-1-" +
                               std::string(day + 9, 1) + "-1\n}\n";
    write_if_changed(folder.path / "solutions" / day / "a.cpp", source);
    write_if_changed(folder.path / day / "a.cpp", "int f() { return 2; }\n");
    write_if_changed(folder.path / "tests" / (std::string(day) + "_test.cpp"),
                     "// empty\n");
  }
  write_if_changed(folder.path / "solutions/week2/day1_compaction/c.cpp", "\n");
  const Course course = discover(folder.path, folder.path / "build/course");
  Progress progress = Progress::load(course);
  REQUIRE(course.rooms.size() == 3);
  CHECK(progress.first_run());
  CHECK(progress.state(course, course.rooms[0]) == State::edited);
  CHECK(progress.state(course, course.rooms[2]) == State::reference);
  CHECK(progress.next_day(course) == &course.rooms[0]);

  Verdict green;
  green.tests = {result_of(1, false, Outcome::passed),
                 result_of(2, true, Outcome::failed)};
  progress.remember(course, course.rooms[0], &green);
  progress.at("1.1").hints[2] = 1;
  progress.save();
  progress = Progress::load(course);  // what was written is what is read
  CHECK(!progress.first_run());
  CHECK(progress.state(course, course.rooms[0]) == State::green);
  CHECK_SAME(progress.find("1.1")->next_task, 2);
  CHECK_SAME(progress.find("1.1")->hints.at(2), 1);
  CHECK(progress.next_day(course) == &course.rooms[1]);

  progress.remember(course, course.rooms[1], nullptr);
  CHECK(progress.state(course, course.rooms[1]) == State::broken);
  CHECK(progress.next_day(course) == &course.rooms[1]);

  Verdict gold;
  gold.tests = {result_of(1, false, Outcome::passed)};
  progress.remember(course, course.rooms[1], &gold);
  CHECK(progress.state(course, course.rooms[1]) == State::gold);
  CHECK(progress.next_day(course) == &course.rooms[0]);  // green, not gold

  // An edit makes the verdict stale, and the file below it too.
  write_if_changed(course.rooms[1].mine / "a.cpp", "int f() { return 3; }\n");
  CHECK(progress.state(course, course.rooms[1]) == State::edited);
  progress.remember(course, course.rooms[1], &gold);
  write_if_changed(course.rooms[0].reference / "a.h", "\n");
  CHECK(progress.state(course, course.rooms[1]) == State::edited);
}

TEST_CASE("who begins in the middle goes on from there", "[course][days]") {
  TemporaryFolder folder;
  for (const char* day :
       {"week1/day1_memtable", "week1/day2_block", "week1/day3_table"}) {
    for (const char* where : {"solutions", "."}) {
      write_if_changed(folder.path / where / day / "a.cpp", "int f();\n");
    }
    write_if_changed(folder.path / "tests" / (std::string(day) + "_test.cpp"),
                     "// empty\n");
  }
  const Course course = discover(folder.path, folder.path / "build/course");
  REQUIRE(course.rooms.size() == 3);
  Progress progress = Progress::load(course);
  CHECK(progress.next_day(course) == &course.rooms[0]);
  progress.work_on(course.rooms[1]);
  progress = Progress::load(course);
  CHECK(progress.next_day(course) == &course.rooms[1]);
  Verdict gold;
  gold.tests = {result_of(1, false, Outcome::passed)};
  progress.remember(course, course.rooms[1], &gold);
  CHECK(progress.next_day(course) == &course.rooms[2]);
  progress.work_on(course.rooms[2]);
  progress.remember(course, course.rooms[2], &gold);
  CHECK(progress.next_day(course) == &course.rooms[0]);  // what was left out
  progress.remember(course, course.rooms[0], &gold);
  CHECK(progress.next_day(course) == nullptr);
}

TEST_CASE("a race fails the check with ThreadSanitizer, and that one alone",
          "[course][toy]") {
  const ThreadedCourse course;
  if (!course.ready) return;

  Finished said = course.course({"check", "1.1", "--tsan"});
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, "All of these pass under ThreadSanitizer."));
  // It is not what makes a room green.
  CHECK(contains(course.course({}).output, "0 of 21 days done"));
  CHECK(course.course({"check", "1.1"}).status == 0);
  CHECK(contains(course.course({}).output, "1 of 21 days done"));

  course.number_is("int");
  said = course.course({"check", "1.1", "--tsan"});
  INFO(said.output << said.errors);
  CHECK(said.status == 1);
  CHECK(contains(said.output, "the test ended the program"));
  CHECK(contains(said.output, "WARNING: ThreadSanitizer: data race"));
  CHECK(!contains(said.output, "All of these pass"));
  const auto json = nlohmann::json::parse(
      course.course({"check", "1.1", "--tsan", "--json"}).output);
  CHECK_SAME(json["state"].get<std::string>(), "red");
  CHECK_SAME(json["sanitizer"].get<std::string>(), "tsan");
  // Nor does it take back what a plain check found.
  CHECK(contains(course.course({}).output, "1 of 21 days done"));
}

TEST_CASE("a room is worked through from starter to gold", "[course][toy]") {
  const ToyCourse toy;
  if (!toy.ready) return;

  Finished said = toy.course({});
  INFO(said.output << said.errors);
  CHECK(said.status == 0);  // the first run also checks
  CHECK(contains(said.output, "1.1 memtable          not started"));
  CHECK(contains(said.output, "not implemented yet: 1.1 task 1 - Toy::put"));
  CHECK(contains(said.output, "0 of 2 core, 0 of 1 gold"));
  CHECK(contains(said.output, "a sign is a test:   . not written yet"));

  toy.replace("LSM_TODO(\"1.1 task 1\", \"Toy::put\");",
              "map_.emplace(key, value);");
  toy.replace("LSM_TODO(\"1.1 task 2\", \"Toy::get\");", "return map_.at(key)");
  said = toy.course({"check"});
  CHECK(said.status == 1);
  CHECK(contains(said.output, "It does not compile yet."));
  CHECK(contains(said.output, "week1/day1_memtable/memtable.cpp:"));

  toy.replace("map_.at(key)", "map_.at(key);");
  said = toy.course({"check", "1.1"});
  CHECK(said.status == 1);
  for (const char* part :
       {"scenario   Put a = 1, then a = 2; get a.", "expected   2",
        "seen       1", "breaks     I2 The newest version of a key",
        "book/src/week1/day1.md#task-2-get-it-back", "1 of 2 core, 1 of 1 gold",
        "./course hint 1.1 --task 2"}) {
    INFO(part);
    CHECK(contains(said.output, part));
  }

  said = toy.course({"check", "memtable", "--json"});
  const auto json = nlohmann::json::parse(said.output);
  CHECK_SAME(json["state"].get<std::string>(), "red");
  CHECK_SAME(json["core"]["passed"].get<int>(), 1);
  CHECK_SAME(json["first_failure"].get<std::string>(), "the newest value wins");
  CHECK_SAME(json["tests"][1]["failure"]["seen"].get<std::string>(), "1");

  // A hole that no test comes to.
  toy.replace("map_.emplace(key, value);",
              "map_[key] = value;\n"
              "  if (value < 0) LSM_TODO(\"1.1 task 1\", \"Toy::put\");");
  said = toy.course({"check"});
  CHECK(said.status == 1);
  CHECK(contains(said.output, "1 of 2 core, 1 of 1 gold"));
  CHECK(contains(said.output, "This test passes already"));
  CHECK(contains(said.output, "at week1/day1_memtable/memtable.cpp:"));
  toy.replace("  if (value < 0) LSM_TODO(\"1.1 task 1\", \"Toy::put\");", "");

  toy.replace("return map_.at(key);",
              "if (key == \"b\") __builtin_trap();\n  return map_.at(key);");
  said = toy.course({"check"});
  CHECK(said.status == 0);  // green, though the gold test crashes
  CHECK(contains(said.output, "2 of 2 core, 0 of 1 gold"));
  CHECK(contains(said.output, "the test crashed"));
  CHECK(contains(said.output, "Green."));

  toy.replace("__builtin_trap();", "for (volatile int i = 0;;) i = i + 1;");
  said = toy.course({"check", "--limit", "1"});
  CHECK(contains(said.output, "the test did not end within 1 s"));
  CHECK(contains(said.output, "scenario   Put b = 7; get b."));
  CHECK(contains(said.output, "~ does not end"));

  toy.replace("if (key == \"b\") for (volatile int i = 0;;) i = i + 1;", "");
  said = toy.course({"check"});
  CHECK(said.status == 0);
  CHECK(contains(said.output, "Gold."));
  CHECK(contains(toy.course({}).output, "1 of 21 days done"));

  said = toy.course({"reset", "1.1"});
  CHECK(said.status == 0);
  CHECK(contains(read_file(toy.source), "LSM_TODO"));
  const auto kept = fs::directory_iterator(toy.root / ".mine")->path();
  CHECK(contains(read_file(kept / "memtable.cpp"), "map_[key] = value;"));
}

TEST_CASE("mine takes green rooms without a hole", "[course][toy]") {
  const ToyCourse toy;
  if (!toy.ready) return;
  Finished said = toy.course({"mine"});
  CHECK(said.status == 1);  // nothing is green yet
  CHECK(contains(said.output, "None of your rooms is whole yet"));

  // Green, and even gold: no test of this day comes to task 3.
  toy.replace("LSM_TODO(\"1.1 task 1\", \"Toy::put\");", "map_[key] = value;");
  toy.replace("LSM_TODO(\"1.1 task 2\", \"Toy::get\");",
              "if (key.empty()) LSM_TODO(\"1.1 task 3\", \"Toy::any\");\n"
              "  return map_.at(key);");
  CHECK(toy.course({"check"}).status == 0);
  said = toy.course({"mine"});
  INFO(said.output << said.errors);
  CHECK(said.status == 1);
  CHECK(contains(said.output, "1.1 still has a hole, task 3, Toy::any"));
  CHECK(contains(said.output, "None of your rooms is whole yet"));
  CHECK(!fs::exists(toy.root / "build/mine"));
  // Asked for by name it is taken all the same.
  CHECK(contains(toy.course({"mine", "--rooms", "1.1"}).output,
                 "The engine with your 1.1,"));

  // Edited since its check: it is checked first, and taken.
  toy.replace("if (key.empty()) LSM_TODO(\"1.1 task 3\", \"Toy::any\");", "");
  said = toy.course({"mine"});
  INFO(said.output << said.errors);
  CHECK(contains(said.output, "The engine with your 1.1,"));
  CHECK(
      contains(read_file(toy.root / "build/mine/.configured"), "LSM_MINE=1.1"));

  // Red: the reference's takes its place.
  toy.replace("map_[key] = value;", "map_.emplace(key, value);");
  CHECK(
      contains(toy.course({"mine"}).output, "None of your rooms is whole yet"));
}

TEST_CASE("each call shows one more hint", "[course][toy]") {
  const ToyCourse toy;
  CHECK(contains(toy.course({"hint", "1.1"}).output, "First."));
  const std::string second = toy.course({"hint", "1.1"}).output;
  CHECK(contains(second, "Hint 2 of 3"));
  CHECK(!contains(second, "First."));
  CHECK(contains(toy.course({"hint", "1.1"}).output, "That was the last one."));
  CHECK(contains(toy.course({"hint", "1.1"}).output, "no more hints"));
  CHECK(contains(toy.course({"hint", "1.1", "--again"}).output, "First."));
}

TEST_CASE("a wrong command line says what there is", "[course][toy]") {
  const ToyCourse toy;
  const auto refused = [&](const std::vector<std::string>& arguments,
                           std::string_view part) {
    const Finished said = toy.course(arguments);
    INFO(said.errors);
    CHECK(said.status == 2);
    CHECK(contains(said.errors, part));
  };
  refused({"chekc"}, "Did you mean: ./course check");
  refused({"1.1"}, "Did you mean: ./course check 1.1");
  refused({"check", "memtabel"}, "Did you mean memtable?");
  refused({"check", "2.1"}, "There are: 1.1.");
  refused({"check", "1.1", "--nonsense"}, "--nonsense");
  refused({"hint", "1.1", "--task", "9"}, "It has: 1.");
  refused({"reset"}, "Which day?");
  refused({"updat"}, "Did you mean: ./course update");
  // The solution is not shown without a yes.
  CHECK(toy.course({"diff", "1.1"}).status == 1);
  CHECK(contains(toy.course({"diff", "1.1", "--yes"}).output,
                 "+  map_[key] = value;"));
}
