#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace lsm {

namespace {

// The finalizer of MurmurHash3 (Appleby): every input bit reaches every
// output bit.
constexpr std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

}  // namespace

Result<void> expect_identity(std::string_view path, std::uint64_t offset,
                             FileIdentity found, FileIdentity expected) {
  if (found == expected) return {};
  return fail_at(path, offset,
                 fmt::format("is file {} of store {:016x}, expected file {} of "
                             "store {:016x}",
                             found.number, found.store_id, expected.number,
                             expected.store_id));
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint32_t checksum32(std::string_view bytes, FileIdentity file,
                         std::uint64_t offset) {
  const std::uint64_t place =
      mix(mix(file.store_id ^ 0x9e3779b97f4a7c15ULL) + file.number) + offset;
  return static_cast<std::uint32_t>(
      mix(XXH3_64bits(bytes.data(), bytes.size()) ^ mix(place)));
}

}  // namespace lsm
