// base/arena.h and base/point_index.h.
#include "base/point_index.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/checksum.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {

namespace {

struct Named {
  std::string key;
  std::uint64_t tag;
  std::string_view user_key() const { return key; }
};
using Index = PointIndex<Named>;

}  // namespace

TEST_CASE("an arena's pieces are aligned, disjoint, and stay", "[base]") {
  SEEDED_RANDOM(random, 1);
  STORY("Take 2,000 pieces of 0 … 70,000 bytes, fill each with its number.");
  INVARIANT("I1 what allocate returned neither moves nor is freed");
  Arena arena;
  std::vector<std::pair<char*, std::size_t>> pieces;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    const std::size_t size =
        random.one_in(20) ? random.below(70'000) : random.below(200);
    char* const piece = static_cast<char*>(arena.allocate(size));
    CHECK_SAME(reinterpret_cast<std::uintptr_t>(piece) % 8, 0);
    std::memset(piece, static_cast<int>(i % 256), size);
    pieces.emplace_back(piece, size);
    sum += size;
  }
  bool intact = true;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto [piece, size] = pieces[i];
    for (std::size_t byte = 0; byte < size; ++byte) {
      intact = intact && piece[byte] == static_cast<char>(i % 256);
    }
  }
  CHECK_SAME(intact, true);
  CHECK(arena.memory_bytes() >= sum);
  CHECK(arena.memory_bytes() <= 3 * sum);
}

TEST_CASE("a small arena is small", "[base]") {
  STORY("Take one piece of 100 bytes.");
  INVARIANT("I2 blocks grow with the arena");
  Arena arena;
  CHECK_SAME(arena.memory_bytes(), 0);
  arena.allocate(100);
  CHECK_SAME(arena.memory_bytes(), Arena::kSmallestBlockBytes);
}

TEST_CASE("the index holds exactly the newest node of each key", "[base]") {
  SEEDED_RANDOM(random, 2);
  STORY("Put 20,000 versions of random keys in any order; find all.");
  INVARIANT("I1 the slot holds the node with the largest tag");
  for (const std::size_t expected_bytes :
       {std::size_t{0}, std::size_t{1} << 16, std::size_t{64} << 20}) {
    Arena arena;
    Index index(arena, expected_bytes);
    CHECK(index.find(hash64("none"), "none") == nullptr);
    std::deque<Named> nodes;
    std::map<std::string, std::uint64_t> newest;
    for (int i = 0; i < 20'000; ++i) {
      nodes.push_back({std::to_string(random.below(9000)), random.next()});
      index.put(hash64(nodes.back().key), &nodes.back());
      std::uint64_t& tag = newest[nodes.back().key];
      tag = std::max(tag, nodes.back().tag);
    }
    bool exact = true;
    for (int i = 0; i < 9100; ++i) {
      const std::string key = std::to_string(i);
      const Named* const found = index.find(hash64(key), key);
      const auto wanted = newest.find(key);
      exact = exact && (found == nullptr) == (wanted == newest.end());
      if (found != nullptr && wanted != newest.end()) {
        exact = exact && found->key == key && found->tag == wanted->second;
      }
    }
    CHECK_SAME(exact, true);
  }
}

TEST_CASE("keys of one hash stay apart", "[base]") {
  STORY("Put 200 keys under the same hash; find each, and one that is absent.");
  INVARIANT("I1 exact");
  Arena arena;
  Index index(arena, 0);
  std::deque<Named> nodes;
  for (int i = 0; i < 200; ++i) {
    nodes.push_back({std::to_string(i), 1});
    index.put(~std::uint64_t{0}, &nodes.back());
  }
  for (const Named& node : nodes)
    CHECK(index.find(~std::uint64_t{0}, node.key) == &node);
  CHECK(index.find(~std::uint64_t{0}, "200") == nullptr);
}

TEST_CASE("readers find what was published while the index grows", "[base]") {
  STORY("One thread puts 50,000 keys and publishes each; two find them.");
  INVARIANT("I4 a table that was outgrown stays readable");
  const std::size_t count = scaled(50'000);
  std::vector<Named> nodes;
  for (std::size_t i = 0; i < count; ++i)
    nodes.push_back({std::to_string(i), 1});
  Arena arena;
  Index index(arena, 0);
  std::atomic<std::size_t> published = 0;
  run_threads(3, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (std::size_t i = 0; i < count && !stop; ++i) {
        index.put(hash64(nodes[i].key), &nodes[i]);
        // Pairs with the acquire below.
        published.store(i + 1, std::memory_order_release);
      }
      return;
    }
    Random random(static_cast<std::uint64_t>(thread));
    std::size_t seen = 0;
    while (seen < count && !stop) {
      seen = published.load(std::memory_order_acquire);
      if (seen == 0) continue;
      const Named& node = nodes[random.below(seen)];
      expect(index.find(hash64(node.key), node.key) == &node,
             "a published key is not found: " + node.key);
    }
  });
}

}  // namespace lsm::test
