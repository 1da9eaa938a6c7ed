// The assertions of support/teach.h, where they can be wrong quietly: what
// they print. That they fail a test is proven by the mutants.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

using namespace std::string_literals;

TEST_CASE("values are shown as a learner reads them", "[course]") {
  CHECK(show("a\0\xff\"b\n"s) == R"("a\x00\xff\"b\n")");
  CHECK(show(std::optional<std::string>()) == "nothing");
  CHECK(show(std::optional<std::string>("x")) == R"("x")");
  CHECK(show(std::vector<Row>{{"a", "1"}, {"b", ""}}) ==
        R"([("a", "1"), ("b", "")])");
  CHECK(show(Code::corruption) == "corruption");
  CHECK(show(true) == "true");
  CHECK(show(InternalKey{"a", make_tag(5, Kind::remove)}) == R"("a"@5 remove)");
  CHECK(show_error(Error{Code::io, "disk"}) == R"(error io: "disk")");
  CHECK(show(Result<bool>(true)) == "true");
  CHECK(show(Result<bool>(fail(Code::io, "disk"))) == R"(error io: "disk")");
}

TEST_CASE("numbers are compared by value, whatever their types", "[course]") {
  CHECK(compare(std::size_t{3}, 3).passed);
  CHECK_FALSE(compare(std::numeric_limits<std::uint64_t>::max(), -1).passed);
}

TEST_CASE("differing bytes are shown expected over seen", "[course]") {
  const Verdict verdict = compare_bytes("abzd", "abcd");
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.expected == "0x63 'c' at byte 2 of 4");
  CHECK(verdict.seen == "0x7a 'z' at byte 2 of 4");
  CHECK(verdict.bytes ==
        "expected 0000  61 62 63 64                                      abcd\n"
        "seen     0000  61 62 7a 64                                      abzd\n"
        "                     ^^ byte 2\n");
}

TEST_CASE("bytes that stop early differ at their end", "[course]") {
  const Verdict verdict = compare_bytes("ab", "abc");
  CHECK(verdict.seen == "the end, after 2 bytes");
  CHECK(compare_bytes("", "").passed);
}

TEST_CASE("a result is compared by its code", "[course]") {
  const Result<int> good = 1;
  const Result<int> bad = fail(Code::corruption, "at 7");
  CHECK_OK(good);
  CHECK_ERROR(bad, Code::corruption);
  CHECK_FALSE(check_ok(bad).passed);
  CHECK(check_error(bad, Code::io).seen == R"(error corruption: "at 7")");
  CHECK(check_error(good, Code::io).seen == "success");
}

TEST_CASE("a failing thread stops the others and fails the test", "[course]") {
  CHECK_THROWS_AS(run_threads(3,
                              [](int i, const std::atomic<bool>& stop) {
                                expect(i != 1, "thread 1");
                                while (!stop)
                                  std::this_thread::yield();
                              }),
                  std::runtime_error);
}

TEST_CASE("a seed always gives the same numbers", "[course]") {
  Random a(7);
  Random b(7);
  Random c(8);
  const std::uint64_t first = a.next();
  CHECK(first == b.next());
  CHECK(first != c.next());
}

// An iterator over rows, right by construction.
class RowIterator final : public UserIterator {
 public:
  explicit RowIterator(const std::vector<Row>& rows) : rows_(rows) {}
  bool valid() const override { return at_ < rows_.size(); }
  void seek(std::string_view target) override {
    at_ = 0;
    while (valid() && key() < target)
      at_++;
  }
  void seek_to_first() override { at_ = 0; }
  void seek_to_last() override { at_ = rows_.empty() ? 0 : rows_.size() - 1; }
  void next() override { at_++; }
  void prev() override { at_ = at_ == 0 ? rows_.size() : at_ - 1; }
  std::string_view key() const override { return rows_[at_].first; }
  std::string_view value() const override { return rows_[at_].second; }
  Result<void> status() const override { return {}; }

 private:
  const std::vector<Row>& rows_;
  std::size_t at_ = rows_.size();
};

TEST_CASE("the model answers at every sequence, both ways", "[course]") {
  Model model;
  model.put("b", "1", 1);
  model.put("a", "2", 2);
  model.remove("b", 3);
  model.put("b", "4", 4);
  CHECK_SAME(model.get("b", 0), std::nullopt);
  CHECK_SAME(model.get("b", 2), "1");
  CHECK_SAME(model.get("b", 3), std::nullopt);
  CHECK_SAME(model.get("b"), "4");
  CHECK_SAME(model.scan(3), std::vector<Row>{{"a", "2"}});
  CHECK_SAME(model.scan_backward(), std::vector<Row>{{"b", "4"}, {"a", "2"}});
  CHECK_SAME(model.scan(4, "a", "b"), std::vector<Row>{{"a", "2"}});
  REQUIRE_SAME(model.entries().size(), 4);
  CHECK_SAME(model.entries()[1].first.view(),
             InternalKey{"b", make_tag(4, Kind::put)});
}

TEST_CASE("the iterator contract accepts a right iterator", "[course]") {
  Model model;
  SEEDED_RANDOM(random, 3);
  for (Sequence i = 1; i < 50; i++) {
    model.put(random.text(2, "ab\xff"s + '\0'), random.text(3), i);
  }
  const std::vector<Row> rows = model.scan();
  RowIterator iterator(rows);
  check_iterator_contract(iterator, rows);
  const std::vector<Row> none;
  RowIterator empty(none);
  check_iterator_contract(empty, none);
}

}  // namespace
}  // namespace lsm::test
