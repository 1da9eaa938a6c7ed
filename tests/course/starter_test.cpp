// The generator of starters against outputs written by hand, and every way a
// marker can be wrong.
#include "course/starter.h"

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace lsm::course {
namespace {

std::string starter(std::string_view solution) {
  return generate_starter_file("1.1", "memtable.cpp", solution);
}

std::string error_of(std::string_view solution) {
  try {
    starter(solution);
  } catch (const StarterError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("a task becomes a comment and LSM_TODO", "[course]") {
  CHECK(starter("#include \"memtable.h\"\n"
                "\n"
                "int MemTable::size() const {\n"
                "  // ANCHOR: task-1-1-2 MemTable::size\n"
                "  int n = 0;\n"
                "  return n;\n"
                "  // ANCHOR_END: task-1-1-2\n"
                "}\n") ==
        "#include \"memtable.h\"\n"
        "#include \"base/todo.h\"\n"
        "\n"
        "int MemTable::size() const {\n"
        "  // Task 2: MemTable::size\n"
        "  LSM_TODO(\"1.1 task 2\", \"MemTable::size\");\n"
        "}\n");
}

TEST_CASE("a label that passes column 80 gets a line of its own", "[course]") {
  const std::string label(51, 'x');  // the call takes 29 columns beside it
  const std::string end = "  // ANCHOR_END: task-1-1-1\n";
  CHECK(starter("  // ANCHOR: task-1-1-1 " + label + "\n" + end) ==
        "#include \"base/todo.h\"\n"
        "  // Task 1: " +
            label +
            "\n"
            "  LSM_TODO(\"1.1 task 1\", \"" +
            label + "\");\n");
  CHECK(starter("  // ANCHOR: task-1-1-1 x" + label + "\n" + end) ==
        "#include \"base/todo.h\"\n"
        "  // Task 1: x" +
            label +
            "\n"
            "  LSM_TODO(\"1.1 task 1\",\n"
            "           \"x" +
            label + "\");\n");
}

TEST_CASE("a label's quotes and backslashes are escaped", "[course]") {
  CHECK(starter("// ANCHOR: task-1-1-1 \"a\\b\"\n"
                "// ANCHOR_END: task-1-1-1\n") ==
        "#include \"base/todo.h\"\n"
        "// Task 1: \"a\\b\"\n"
        "LSM_TODO(\"1.1 task 1\", \"\\\"a\\\\b\\\"\");\n");
}

TEST_CASE("one task may have several bodies", "[course]") {
  CHECK(starter("// ANCHOR: task-1-1-1 first\n"
                "a;\n"
                "// ANCHOR_END: task-1-1-1\n"
                "// ANCHOR: task-1-1-1 second\n"
                "b;\n"
                "// ANCHOR_END: task-1-1-1\n") ==
        "#include \"base/todo.h\"\n"
        "// Task 1: first\n"
        "LSM_TODO(\"1.1 task 1\", \"first\");\n"
        "// Task 1: second\n"
        "LSM_TODO(\"1.1 task 1\", \"second\");\n");
}

TEST_CASE("hidden regions go, and leave one blank line", "[course]") {
  CHECK(starter("a\n"
                "\n"
                "// ANCHOR: hide-helper\n"
                "secret\n"
                "// ANCHOR_END: hide-helper\n"
                "\n"
                "b\n") ==
        "a\n"
        "\n"
        "b\n");
  CHECK(starter("a\n"
                "// ANCHOR: hide-helper\n"
                "// ANCHOR_END: hide-helper\n"
                "\n"
                "b\n") ==
        "a\n"
        "\n"
        "b\n");
}

TEST_CASE("shown regions stay with their markers", "[course]") {
  const std::string_view solution =
      "// ANCHOR: show-node\n"
      "struct Node {};\t \n"
      "// ANCHOR_END: show-node\n"
      "no newline at the end";
  CHECK(starter(solution) == solution);
}

TEST_CASE("regions nest: hidden in shown, shown in a task", "[course]") {
  CHECK(starter("// ANCHOR: show-node\n"
                "// ANCHOR: hide-links\n"
                "secret\n"
                "// ANCHOR_END: hide-links\n"
                "// ANCHOR: task-1-1-1 f\n"
                "// ANCHOR: show-trick\n"
                "trick\n"
                "// ANCHOR_END: show-trick\n"
                "// ANCHOR_END: task-1-1-1\n"
                "// ANCHOR_END: show-node\n") ==
        "#include \"base/todo.h\"\n"
        "// ANCHOR: show-node\n"
        "// Task 1: f\n"
        "LSM_TODO(\"1.1 task 1\", \"f\");\n"
        "// ANCHOR_END: show-node\n");
}

TEST_CASE("the include comes last, but inside no #if", "[course]") {
  CHECK(starter("#pragma once\n"
                "#include <a>\n"
                "#if X\n"
                "#include <b>\n"
                "#endif\n"
                "// ANCHOR: task-1-1-1 f\n"
                "// ANCHOR_END: task-1-1-1\n") ==
        "#pragma once\n"
        "#include <a>\n"
        "#include \"base/todo.h\"\n"
        "#if X\n"
        "#include <b>\n"
        "#endif\n"
        "// Task 1: f\n"
        "LSM_TODO(\"1.1 task 1\", \"f\");\n");
  CHECK(starter("// A page.\n"
                "#pragma once\n"
                "// ANCHOR: task-1-1-1 f\n"
                "// ANCHOR_END: task-1-1-1\n") ==
        "// A page.\n"
        "#pragma once\n"
        "#include \"base/todo.h\"\n"
        "// Task 1: f\n"
        "LSM_TODO(\"1.1 task 1\", \"f\");\n");
}

TEST_CASE("a wrong marker is an error with file and line", "[course]") {
  CHECK(error_of("a\n// ANCHOR_END: task-1-1-1\n") ==
        "memtable.cpp:2: 'task-1-1-1' ends but never began");
  CHECK(error_of("a\n// ANCHOR: show-a\nb\n") ==
        "memtable.cpp:2: 'show-a' has no ANCHOR_END");
  CHECK(error_of("// ANCHOR: show-a\n"
                 "// ANCHOR: hide-b\n"
                 "// ANCHOR_END: show-a\n") ==
        "memtable.cpp:3: 'show-a' ends while 'hide-b' of line 2 is open");
  CHECK(error_of("// ANCHOR: task-1-1-1 f\n"
                 "// ANCHOR: task-1-1-2 g\n") ==
        "memtable.cpp:2: 'task-1-1-2' is inside 'task-1-1-1' of line 1");
  CHECK(error_of("// ANCHOR: hide-a\n"
                 "// ANCHOR: task-1-1-2 g\n") ==
        "memtable.cpp:2: 'task-1-1-2' is inside a hidden region: no learner "
        "would see it");
  CHECK(error_of("// ANCHOR: task-1-2-1 f\n") ==
        "memtable.cpp:1: 'task-1-2-1' is no task of room 1.1");
  CHECK(error_of("// ANCHOR: task-1-1-x f\n") ==
        "memtable.cpp:1: 'task-1-1-x' is no task of room 1.1");
  CHECK(error_of("// ANCHOR: task-1-1-1\n") ==
        "memtable.cpp:1: 'task-1-1-1' does not say what to implement");
  CHECK(error_of("// ANCHOR: trick\n") ==
        "memtable.cpp:1: 'trick' begins with none of task-, hide-, show-");
}

TEST_CASE("tasks are collected with their labels, by number", "[course]") {
  std::vector<Task> tasks;
  collect_tasks("1.1",
                "// ANCHOR: task-1-1-2 b\n"
                "// ANCHOR: task-1-1-1 a\n"
                "// ANCHOR: task-1-1-2 c\n"
                "// ANCHOR: task-9-9-9 other\n",
                tasks);
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].number == 1);
  CHECK(tasks[1].number == 2);
  CHECK(tasks[1].labels == std::vector<std::string>{"b", "c"});
}

}  // namespace
}  // namespace lsm::course
