// Uses the installed library as an application would: write, close, reopen,
// read back. Its one argument is the store's folder.
#include <lsm/db.h>

#include <cstdio>
#include <string>

namespace {

int complain(const lsm::Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 2) return 2;
  {
    auto db = lsm::Db::open(argv[1], {});
    if (!db) return complain(db.error());
    if (auto put = (*db)->put("apple", "red"); !put) {
      return complain(put.error());
    }
    if (auto closed = (*db)->close(); !closed) return complain(closed.error());
  }
  auto db = lsm::Db::open(argv[1], {});
  if (!db) return complain(db.error());
  const auto value = (*db)->get("apple");
  if (!value) return complain(value.error());
  if (*value != "red") {
    std::fprintf(stderr, "apple is not red after reopening\n");
    return 1;
  }
  return 0;
}
