// book-check SRC: prints every problem of the book's pages; fails on any.

#include "check.h"

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: book-check BOOK/src\n");
    return 2;
  }
  const std::vector<book::Problem> problems = book::check(argv[1]);
  for (const book::Problem& problem : problems) {
    std::fprintf(stderr, "book: %s\n", book::describe(problem).c_str());
  }
  if (problems.empty()) return 0;
  std::fprintf(stderr, "book: %zu problem(s)\n", problems.size());
  return 1;
}
