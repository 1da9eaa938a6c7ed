// The book's checker, on small books written for each case.

#include "../../book/check/check.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/teach.h"

namespace lsm::test {
namespace {

namespace fs = std::filesystem;

// A book in a temporary folder: code/ beside src/, gone at the end of a test.
class SmallBook {
 public:
  SmallBook() {
    std::string pattern =
        (fs::temp_directory_path() / "book_check_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    write("code/list.h",
          "// ANCHOR: show-class\n"
          "class List;\n"
          "// ANCHOR_END: show-class\n"
          "// ANCHOR: task-1-1-1 List::add\n"
          "void add();\n"
          "// ANCHOR_END: task-1-1-1\n");
    write("src/SUMMARY.md", "- [Start](start.md)\n- [Later]()\n");
    write("src/start.md", "# Start\n\n## Task 1: `add` — in order\n");
  }
  SmallBook(const SmallBook&) = delete;
  SmallBook& operator=(const SmallBook&) = delete;
  ~SmallBook() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }

  // The problems, one a line.
  std::string problems() const {
    std::string all;
    for (const book::Problem& problem : book::check(root_ / "src")) {
      all += book::describe(problem) + "\n";
    }
    return all;
  }

 private:
  fs::path root_;
};

TEST_CASE("a sound book has no problem", "[course][book]") {
  STORY("Includes, links, images and code that looks like a link.");
  const SmallBook book;
  book.write("src/figures/arrow.svg", "<svg></svg>\n");
  book.write("src/start.md",
             "# Start\n\n"
             "[down](#task-1-add--in-order) [out](https://example.org/x)\n"
             "[self](start.md#start) [html](start.html) `[no](gone.md)`\n"
             "![arrow](figures/arrow.svg) <a id=\"here\"></a> [to](#here)\n"
             "\\{{#include gone.h}}\n"
             "```cpp\n{{#include ../code/list.h:show-class}}\n"
             "# no heading\nauto x = [](gone) {};\n```\n"
             "{{#include ../code/list.h:2:3}}\n"
             "## Task 1: `add` — in order\n");
  CHECK_SAME(book.problems(), std::string());
}

TEST_CASE("an include of nothing fails", "[course][book]") {
  STORY("A missing file, a missing anchor, lines past the end.");
  const SmallBook book;
  book.write("src/start.md",
             "{{#include ../code/gone.h}}\n"
             "```\n{{#include ../code/list.h:show-gone}}\n```\n"
             "{{#include ../code/list.h:5:9}}\n"
             "{{#inclde ../code/list.h}}\n");
  CHECK_SAME(book.problems(),
             std::string("start.md:1: includes a file that does not exist: "
                         "../code/gone.h\n"
                         "start.md:3: includes an anchor that does not exist: "
                         "../code/list.h:show-gone\n"
                         "start.md:5: includes lines that do not exist: "
                         "../code/list.h:5:9\n"
                         "start.md:6: unknown directive {{#inclde}}\n"));
}

TEST_CASE("an unbalanced anchor fails", "[course][book]") {
  STORY("One closed twice, one used twice, one never closed.");
  const SmallBook book;
  book.write("code/list.h",
             "// ANCHOR: show-a\n// ANCHOR_END: show-a\n"
             "// ANCHOR_END: show-a\n"
             "// ANCHOR: show-a\n// ANCHOR_END: show-a\n"
             "// ANCHOR: show-b\n");
  book.write("src/start.md", "{{#include ../code/list.h:show-a}}\n");
  CHECK_SAME(book.problems(),
             std::string("../code/list.h:3: ANCHOR_END: show-a was never "
                         "opened\n"
                         "../code/list.h:4: ANCHOR: show-a is used twice; "
                         "mdBook shows one\n"
                         "../code/list.h:6: ANCHOR: show-b is never closed\n"));
}

TEST_CASE("a task on a page is a spoiler", "[course][book]") {
  STORY("By name, inside a shown region, by lines, and as a whole file.");
  const SmallBook book;
  book.write("code/list.h",
             "// ANCHOR: show-all\n"
             "// ANCHOR: task-1-1-1 List::add\n"
             "// ANCHOR_END: task-1-1-1\n"
             "// ANCHOR_END: show-all\n"
             "// ANCHOR: task-1-1-1 List::add\n"
             "// ANCHOR_END: task-1-1-1\n"
             "// ANCHOR: hide-fields\n"
             "// ANCHOR_END: hide-fields\n");
  const std::string list = "../code/list.h";
  const std::vector<std::pair<std::string, std::string>> spoilers = {
      {":task-1-1-1", "task-1-1-1"},
      {":show-all", "task-1-1-1"},
      {":6:6", "task-1-1-1"},
      {":7:8", "hide-fields"},
  };
  for (const auto& [part, region] : spoilers) {
    book.write("src/start.md", "{{#include " + list + part + "}}\n");
    const std::string wanted = "start.md:1: shows a solution: " + list + part +
                               " contains " + region + "\n";
    INFO("included: " << part);
    CHECK(book.problems().find(wanted) != std::string::npos);
  }
  book.write("src/start.md", "{{#include " + list + "}}\n");
  CHECK(book.problems().find("contains hide-fields") != std::string::npos);
}

TEST_CASE("a link to nothing fails", "[course][book]") {
  STORY("A page, a heading, an image, a reference, a way out of the book.");
  const SmallBook book;
  book.write("src/start.md",
             "# Start\n\n[a](gone.md) [b](#task-9) [c](start.md#end)\n"
             "![d](figures/gone.svg)\n\n[e]: gone.md#x\n"
             "<a href=\"gone.html\">f</a> [g](../code/list.h)\n");
  CHECK_SAME(
      book.problems(),
      std::string(
          "start.md:3: links to a page that does not exist: gone.md\n"
          "start.md:3: links to a heading that does not exist: #task-9\n"
          "start.md:3: links to a heading that does not exist: "
          "start.md#end\n"
          "start.md:4: links to a page that does not exist: "
          "figures/gone.svg\n"
          "start.md:6: links to a page that does not exist: gone.md#x\n"
          "start.md:7: links out of the book: ../code/list.h\n"
          "start.md:7: links to a page that does not exist: gone.html\n"));
}

TEST_CASE("pages and summary name each other", "[course][book]") {
  STORY("A page nobody lists, a listed page that is not there, one twice.");
  const SmallBook book;
  book.write("src/week1/day1.md", "# Day 1\n");
  book.write("src/SUMMARY.md",
             "- [Start](start.md)\n- [Again](start.md)\n- [Gone](gone.md)\n");
  CHECK_SAME(book.problems(),
             std::string("SUMMARY.md:2: lists a page twice: start.md\n"
                         "SUMMARY.md:3: lists a page that does not exist: "
                         "gone.md\n"
                         "week1/day1.md: is not listed in SUMMARY.md\n"));
}

TEST_CASE("a figure with a blank line fails", "[course][book]") {
  STORY("Markdown ends an HTML block at the first blank line.");
  const SmallBook book;
  book.write("src/figures/arrow.svg", "<svg>\n\n</svg>\n");
  book.write("src/start.md", "{{#include figures/arrow.svg}}\n");
  CHECK_SAME(book.problems(),
             std::string("start.md:1: includes a figure with a blank line: "
                         "figures/arrow.svg\n"));
}

TEST_CASE("heading ids are mdBook's", "[course][book]") {
  STORY("Two equal headings, a named one, letters outside ASCII.");
  const SmallBook book;
  book.write("src/start.md",
             "# Why?\n# Why?\n# Long one {#short}\n# The B_e-ta Test\n"
             "# Größe × O(n²) · `get<T>` → *end*\n"
             "[a](#why) [b](#why-1) [c](#short) [d](#the-b_e-ta-test)\n"
             "[e](#größe--on²--gett--end) [f](#why-2)\n");
  CHECK_SAME(book.problems(),
             std::string("start.md:7: links to a heading that does not "
                         "exist: #why-2\n"));
}

}  // namespace
}  // namespace lsm::test
