// What a check does with its verdict. A file of its own: who links only checks,
// as the toy course of the tool's tests does, needs no fmt for it.
#include "support/teach.h"

namespace lsm::test {

void count_passed() {
  SUCCEED();
}

void tell(const Verdict& verdict, std::string_view checked) {
  UNSCOPED_INFO("checked: " << checked);
  UNSCOPED_INFO("expected: " << verdict.expected);
  UNSCOPED_INFO("seen: " << verdict.seen);
  if (!verdict.bytes.empty()) UNSCOPED_INFO("bytes:\n" << verdict.bytes);
}

}  // namespace lsm::test
