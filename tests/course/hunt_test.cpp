// The hunt: the file it begins with, the order of the mutants, and a toy room
// hunted through with the real tool.
#include "hunt.h"

#include <algorithm>
#include <string>
#include <vector>

#include "progress.h"
#include "support/catch.h"
#include "support/teach.h"
#include "toy_course.h"
#include "verdict.h"

namespace lsm::course {
namespace {

Mutant mutant_of(const std::string& name, int task) {
  Mutant mutant;
  mutant.name = name;
  mutant.task = task;
  return mutant;
}

// The learner's file of the toy, as the tool made it and with `tests` behind.
struct HuntedToy : ToyCourse {
  fs::path file = root / "week1/day1_memtable_hunt.cpp";
  std::string pristine;

  HuntedToy() {
    mutant("first_wins",
           "bug: The first value of a key stays.\ntask: 1\n"
           "file: memtable.cpp\n--- find\n  map_[key] = value;\n"
           "--- replace\n  map_.emplace(key, value);\n--- end\n");
    mutant("endless",
           "bug: A read of z never ends.\ntask: 2\n"
           "file: memtable.cpp\n--- find\n  return map_.at(key);\n"
           "--- replace\n  for (volatile int i = 0; key == \"z\";) i = i + 1;\n"
           "  return map_.at(key);\n--- end\n");
  }

  void write(const std::string& tests) const {
    write_if_changed(file, pristine + tests);
  }
  Finished hunt(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {"hunt", "1.1"});
    return course(arguments);
  }
};

TEST_CASE("the hunt's file is the suite's beginning", "[course][hunt]") {
  Room room;
  room.id = "1.1";
  room.folder = "week1/day1_memtable";
  const std::string made = hunt_template(room,
                                         "// The day's tests.\n"
                                         "#include \"memtable.h\"\n"
                                         "namespace lsm::test {\n"
                                         "namespace {\n"
                                         "int helper() { return 1; }\n"
                                         "}  // namespace\n"
                                         "TEST_CASE(\"one\", \"[1.1]\") {\n"
                                         "  CHECK(helper() == 1);\n"
                                         "}\n"
                                         "TEST_CASE(\"two\", \"[1.1]\") {\n"
                                         "}\n"
                                         "}  // namespace lsm::test\n");
  CHECK(contains(made, "#include \"memtable.h\"\nnamespace lsm::test {\n"));
  CHECK(contains(made, "int helper() { return 1; }\n}  // namespace\n"));
  CHECK(!contains(made, "two"));
  CHECK(!contains(made, "The day's tests."));
  // What is open is closed, below the place for the learner's tests.
  CHECK(made.ends_with("// }\n\n}  // namespace lsm::test\n"));
  const auto cases = cases_of(made);
  REQUIRE(cases.size() == 1);
  CHECK_SAME(cases[0].name, "one");
}

TEST_CASE("every day of the course has a hunt", "[course][hunt]") {
  const Course course = discover(LSM_SOURCE_ROOT, "build");
  for (const Room& room : course.rooms) {
    INFO(room.id);
    const std::string suite = read_file(room.suite);
    const std::string made = hunt_template(room, suite);
    const auto cases = cases_of(made);
    REQUIRE(cases.size() == 1);  // the example
    CHECK_SAME(cases[0].name, cases_of(suite)[0].name);
    CHECK(std::ranges::count(made, '{') == std::ranges::count(made, '}'));
    for (const Mutant& mutant : mutants_of(room)) {
      CHECK(place_of(mutant, room).starts_with(mutant.edits[0].file));
    }
  }
}

TEST_CASE("mutants are numbered by task, not by name", "[course][hunt]") {
  std::vector<Mutant> mutants;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    mutants.push_back(mutant_of(name, name[0] < 'e' ? 2 : 1));
  }
  const auto ordered = in_hunt_order(mutants);
  REQUIRE(ordered.size() == 8);
  CHECK(std::ranges::is_sorted(ordered, {}, &Mutant::task));
  CHECK(!std::ranges::is_sorted(ordered.begin() + 4, ordered.end(), {},
                                &Mutant::name));
  // A mutant that is added later leaves the order of the others as it was.
  mutants.push_back(mutant_of("later", 1));
  auto more = in_hunt_order(mutants);
  std::erase_if(more, [](const Mutant& m) { return m.name == "later"; });
  for (std::size_t i = 0; i < more.size(); i++) {
    CHECK_SAME(more[i].name, ordered[i].name);
  }
}

TEST_CASE("a hunt is remembered, and tells no name", "[course][hunt]") {
  const TemporaryFolder folder;
  const Course course = discover(folder.path, folder.path / "build");
  Progress progress = Progress::load(course);
  Hunted& hunted = progress.at("1.1").hunted;
  hunted.current = fingerprint_of("first_wins");
  hunted.caught = {fingerprint_of("endless")};
  hunted.misses[fingerprint_of("first_wins")] = 2;
  hunted.missed_with = "x";
  progress.save();
  const Hunted read = Progress::load(course).find("1.1")->hunted;
  CHECK(read.current == hunted.current);
  CHECK(read.caught == hunted.caught);
  CHECK(read.misses == hunted.misses);
  CHECK(read.missed_with == "x");
  const std::string written = read_file(folder.path / "build/progress.json");
  CHECK(!contains(written, "first_wins"));
  CHECK(!contains(written, "endless"));
}

TEST_CASE("a toy room is hunted through", "[course][hunt][toy]") {
  HuntedToy toy;
  if (!toy.ready) return;

  STORY("The first hunt makes the file; its example does not count.");
  Finished said = toy.hunt();
  INFO(said.output << said.errors);
  CHECK(said.status == 1);
  CHECK(contains(said.output, "mutant 1 of 2"));
  CHECK(contains(said.output, "reference  passes the example"));
  CHECK(contains(said.output, "the example does not count"));
  toy.pristine = read_file(toy.file);
  CHECK(contains(toy.pristine, "TEST_CASE(\"a put, and no more\""));
  CHECK(toy.course({"starters", "--check"}).status == 0);

  STORY("A test that the reference fails, one that crashes it, no C++.");
  toy.write("TEST_CASE(\"mine\", \"[1.1]\") { CHECK_SAME(1, 2); }\n");
  said = toy.hunt();
  CHECK(said.status == 1);
  CHECK(contains(said.output, "the reference does not pass it"));
  CHECK(contains(said.output, "expected   2"));
  CHECK(contains(said.output, "week1/day1_memtable_hunt.cpp:"));
  toy.write("TEST_CASE(\"mine\", \"[1.1]\") { __builtin_trap(); }\n");
  said = toy.hunt();
  CHECK(said.status == 1);
  CHECK(contains(said.output, "the reference does not pass it"));
  CHECK(contains(said.output, "the test crashed"));
  toy.write("TEST_CASE(\"mine\", \"[1.1]\") { nonsense; }\n");
  said = toy.hunt();
  CHECK(said.status == 1);
  CHECK(contains(said.output, "It does not compile yet."));
  CHECK(contains(said.output, "week1/day1_memtable_hunt.cpp:"));

  STORY("Each new try that misses tells a little more; the same one does not.");
  const std::string once =
      "TEST_CASE(\"mine\", \"[1.1]\") {\n  Toy toy;\n"
      "  toy.put(\"a\", 1);\n";
  toy.write(once + "  CHECK_SAME(toy.get(\"a\"), 1);\n}\n");
  for (int again = 0; again < 2; again++) {
    said = toy.hunt();
    INFO(said.output << said.errors);
    CHECK(said.status == 1);
    CHECK(contains(said.output, "The mutant lives."));
    CHECK(contains(said.output, "task 1: Put"));
    CHECK(!contains(said.output, "Toy::put"));
    CHECK(!contains(said.output, "first_wins"));
    CHECK(!contains(said.output, "The first value"));
  }
  toy.write(once + "  CHECK(toy.get(\"a\") == 1);\n}\n");
  CHECK(contains(toy.hunt().output, "memtable.cpp, in Toy::put"));

  STORY("The killing test; the build folder has the reference again.");
  toy.write(once +
            "  toy.put(\"a\", 2);\n"
            "  CHECK_SAME(toy.get(\"a\"), 2);\n}\n");
  said = toy.hunt();
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  for (const char* part :
       {"fails \"mine\"", "expected 2", "seen     1", "Caught.",
        "bug        The first value of a key stays.", "first_wins, of task 1",
        "1 of 2 caught"}) {
    INFO(part);
    CHECK(contains(said.output, part));
  }
  CHECK(read_file(toy.root / "build/course/mutant/1.1/memtable.cpp") ==
        kSource);

  STORY("The next one hangs, which is a kill; then nothing is left.");
  toy.write(
      "TEST_CASE(\"mine\", \"[1.1]\") {\n  Toy toy;\n"
      "  toy.put(\"z\", 1);\n  CHECK(toy.get(\"z\") == 1);\n}\n");
  said = toy.hunt({"--limit", "1"});
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, "mutant 2 of 2"));
  CHECK(contains(said.output, "the test did not end within 1 s"));
  CHECK(contains(said.output, "2 of 2 caught"));
  CHECK(contains(toy.hunt().output, "Nothing is left to hunt here"));
  const std::string list = toy.hunt({"--list"}).output;
  CHECK(contains(list, "The first value of a key stays."));
  CHECK(contains(list, "A read of z never ends."));
}

TEST_CASE("a mutant that was shown is not caught", "[course][hunt][toy]") {
  HuntedToy toy;
  if (!toy.ready) return;
  CHECK(!contains(toy.hunt({"--list"}).output, "The first value"));
  Finished said = toy.hunt({"--reveal"});
  CHECK(said.status == 0);
  CHECK(contains(said.output, "The first value of a key stays."));
  CHECK(contains(toy.hunt({"--list"}).output, "0 of 2 caught, 1 shown"));

  said = toy.hunt();  // the other one comes next
  CHECK(contains(said.output, "mutant 2 of 2"));
  toy.pristine = read_file(toy.file);
  toy.write(
      "TEST_CASE(\"mine\", \"[1.1]\") {\n  Toy toy;\n  toy.put(\"a\", 1);\n"
      "  toy.put(\"a\", 2);\n  CHECK(toy.get(\"a\") == 2);\n}\n");
  said = toy.hunt({"--mutant", "1"});
  INFO(said.output << said.errors);
  CHECK(said.status == 0);
  CHECK(contains(said.output, "this one was shown to you"));
  CHECK(contains(said.output, "0 of 2 caught, 1 shown"));

  said = toy.hunt({"--mutant", "3"});
  CHECK(said.status == 2);
  CHECK(contains(said.errors, "has mutants 1 to 2"));
  CHECK(toy.hunt({"--mutant", "0"}).status == 2);
}

}  // namespace
}  // namespace lsm::course
