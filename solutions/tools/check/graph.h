// The dependency graph of a history: an arrow from A to B says that, in any
// order of the transactions that explains what they saw, A comes before B.
//
//   1:get(x)=3  2:put(x,4)  2:commit  3:get(x)=4
//
//   T2 ─wr─► T3     T3 saw what T2 wrote
//   T1 ─rw─► T2     T1 saw x = 3; T2 wrote a newer version of x
//
//   ww   both wrote a key, and this one's version is older
//   wr   the other one saw this one's version
//   rw   this one saw a version, and the other one wrote a newer one. Of a
//        scan that found no such key: a predicate rw, a phantom
//   session, realtime   this one was over when the other one began
//
// Which of two versions is newer nobody has told us. It is inferred, and only
// from what is certain (Order, below); two versions of which nothing is known
// get no arrow. A missing arrow can hide a cycle; a wrong one would invent
// one.
// I1 Every arrow is implied by the store's promises and by what was seen.
// I2 Arrows that follow from others are left out: of all that began after A
//    was over, A has arrows only to those that nobody else separates from it.
// A removal leaves nothing to recognize it by. A read that found nothing saw
// the empty store or some removal; it counts only when all but one of them
// are impossible.
// Cost: about linear in what was read; some milliseconds for 500 transactions.
// Source: the arrows are those of Adya, "Weak consistency", MIT 1999; the
// inference is that of Kingsbury and Alvaro, "Elle", VLDB 2020.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/check/history.h"

namespace lsm::check {

// How a version is known to be newer than another.
enum class Order : std::uint8_t {
  first,        // the older one is the empty store's
  read,         // the newer one's writer had read the older one
  list,         // a list has the older one's element before the newer one's
  realtime,     // the older one's writer was over when the newer one's began
  seen,         // `witness` began when the older one's writer was over, and saw
                // the newer one
  read_before,  // `witness` saw the older one, and was over when the newer
                // one's writer began
};

struct Version {
  std::size_t key = 0;               // in Graph::keys
  std::optional<std::string> value;  // nothing: removed, or never there
  int writer = -1;                   // trace; -1: the empty store
};

enum class Arrow : std::uint8_t { ww, wr, rw, session, realtime };

struct Edge {
  std::size_t from = 0;  // traces
  std::size_t to = 0;
  Arrow arrow = Arrow::ww;
  bool predicate = false;  // rw: a scan did not find the key
  int before = -1;         // version seen, or older
  int after = -1;          // version newer; of ww and rw
  Order order = Order::first;
  int witness = -1;  // trace

  bool timed() const {
    return arrow == Arrow::session || arrow == Arrow::realtime;
  }
};

// What needs no cycle to be wrong.
enum class Fault : std::uint8_t {
  garbage,       // saw a value that nobody wrote
  aborted,       // saw a value of one that did not commit
  intermediate,  // saw a value that its writer wrote over before it committed
  unrepeatable,  // saw two values of one key, or not its own
  early,         // saw a value of one that committed after it had begun
  lost_update,   // saw the version that another one saw, both wrote, and both
                 // committed
  forked_list,   // saw a list; another one saw a list; neither begins the other
  // Of the refusals (refusals.h), where order is known:
  needless,     // was refused, and nothing that it asked about had changed
  false_blame,  // was refused for a limit that had forced nothing out
  raw_bytes,    // was refused in words that cannot be printed
  hoard,        // after its commit more records were kept than anybody needs
};

struct Misread {
  Fault fault = Fault::garbage;
  std::size_t reader = 0;            // trace
  std::optional<std::size_t> other;  // writer, or the other reader
  std::string key;
  std::string seen;      // as told: "nothing" where it was; of a refusal, its
                         // words; of a hoard, how many
  std::string expected;  // the other value, of those that have one
};

struct Graph {
  std::vector<std::string> keys;  // ascending
  std::vector<Version> versions;
  std::vector<Edge> edges;  // by from and to; of each pair at most one rw and
                            // one that is not
  std::vector<Misread> misreads;
};

Graph graph_of(const History& history);

}  // namespace lsm::check
