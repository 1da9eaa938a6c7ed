#include "base/checksum.h"

#include <set>
#include <string>

#include "support/catch.h"
#include "support/teach.h"

using namespace lsm;

TEST_CASE("hash64 is XXH3 with 64 bits", "[base]") {
  STORY("Hash nothing; the value is the one that xxHash publishes.");
  CHECK_SAME(hash64(""), 0x2d06800538d394c2u);
}

TEST_CASE("a checksum binds store, file and offset", "[base]") {
  STORY("The same bytes in another store, file or place do not verify.");
  INVARIANT("I1 equal bytes elsewhere have different checksums");
  const std::string bytes = "the same bytes";
  const FileIdentity here{.store_id = 11, .number = 7};
  const std::uint32_t checksum = checksum32(bytes, here, 4096);
  CHECK_SAME(checksum32(bytes, here, 4096), checksum);
  CHECK(checksum32(bytes, {.store_id = 12, .number = 7}, 4096) != checksum);
  CHECK(checksum32(bytes, {.store_id = 11, .number = 8}, 4096) != checksum);
  CHECK(checksum32(bytes, here, 8192) != checksum);
  // Exchanged roles are another place, too.
  CHECK(checksum32(bytes, {.store_id = 7, .number = 11}, 4096) != checksum);
  CHECK(checksum32(bytes, {.store_id = 11, .number = 4096}, 7) != checksum);
}

TEST_CASE("neighbouring places do not share checksums", "[base]") {
  STORY("One block at 1,000 neighbouring offsets, files and stores.");
  std::set<std::uint32_t> seen;
  for (std::uint64_t i = 0; i < 1000; i++) {
    seen.insert(checksum32("block", {.store_id = 1, .number = 1}, i));
    seen.insert(checksum32("block", {.store_id = 1, .number = i + 2}, 0));
    seen.insert(checksum32("block", {.store_id = i + 2, .number = 1}, 0));
  }
  // 3,000 values of 32 bits collide once in a thousand such tests.
  CHECK_SAME(seen.size(), 3000u);
}

TEST_CASE("every flipped bit changes the checksum", "[base]") {
  STORY("Flip each bit of a record of 100 bytes in turn.");
  const FileIdentity file{.store_id = 3, .number = 5};
  std::string bytes(100, 'r');
  const std::uint32_t whole = checksum32(bytes, file, 0);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit++) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    if (checksum32(bytes, file, 0) == whole) {
      FAIL_CHECK("bit " << bit << " goes unnoticed");
    }
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}
