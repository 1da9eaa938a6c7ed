// How a dependency graph is made of a history (graph.h), in three steps for
// each key, each in a file of its own:
//
//   graph_reads.cpp    which version each read saw          Seen  ──► Read
//   graph_orders.cpp   which of two versions is newer       Read  ──► Newer
//   graph.cpp          who comes before whom                Newer ──► Edge
//
//   1:get(x)=3 2:put(x,4)  Seen x=3 by 1, Read of the version 3,
//                          Newer 3 → 4, rw arrow from 1 to 2
//
// I1 A step adds nothing that it is not certain of (graph.h, I1).
// Lifetime: lives as long as graph_of runs. Used by graph.cpp alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tools/check/graph.h"
#include "tools/check/timeline.h"

namespace lsm::check {

inline constexpr int kUnknown = -1;  // a version

inline std::string shown(const std::optional<std::string>& value) {
  return value.value_or("nothing");
}

struct Read {
  std::size_t trace = 0;
  int version = kUnknown;
  bool by_scan = false;
};

// `after` is newer than `before`.
struct Newer {
  int before = 0;
  int after = 0;
  Order order = Order::first;
  int witness = -1;
};

// What a trace saw of a key that it had not written before.
struct Seen {
  std::size_t trace = 0;
  std::optional<std::string> value;
  bool by_scan = false;
};

struct KeyFacts {
  std::vector<int> versions;  // [0]: the empty store's
  std::unordered_map<std::string, int> by_value;
  std::unordered_map<std::string, std::size_t> overwritten;  // by its writer
  std::unordered_map<std::string, std::size_t> aborted;
  std::vector<Seen> seen;
  std::vector<Read> reads;
  std::vector<Newer> newer;
};

class GraphBuilder {
 public:
  explicit GraphBuilder(const History& history) : history_(history) {}
  Graph build();

 private:
  const Trace& trace_of(std::size_t trace) const {
    return history_.traces[trace];
  }
  int writer_of(int version) const {
    return graph_.versions[static_cast<std::size_t>(version)].writer;
  }
  const Trace& writer_trace(int version) const {
    return trace_of(static_cast<std::size_t>(writer_of(version)));
  }
  std::size_t index_of(std::string_view key) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(graph_.keys, key) -
                                    graph_.keys.begin());
  }
  int add_version(std::size_t key, std::optional<std::string> value,
                  int writer) {
    const int id = static_cast<int>(graph_.versions.size());
    facts_[key].versions.push_back(id);
    graph_.versions.push_back({key, std::move(value), writer});
    return id;
  }
  void misread(Fault fault, std::size_t reader,
               std::optional<std::size_t> other, std::size_t key,
               std::string seen, std::string expected = {}) {
    graph_.misreads.push_back({fault, reader, other, graph_.keys[key],
                               std::move(seen), std::move(expected)});
  }

  void collect_keys();

  // graph_reads.cpp: what was written, and which of it a read saw.
  void collect_writes(std::size_t trace);
  void collect_reads(std::size_t trace);
  void resolve_reads(KeyFacts& facts);
  int version_seen(const KeyFacts& facts, std::size_t key, const Seen& seen);
  int absence_seen(const KeyFacts& facts, const Trace& reader,
                   const Timeline& writers) const;

  // graph_orders.cpp: which of two versions is newer.
  Timeline timeline_of(const KeyFacts& facts) const;  // of its writers
  void order_updates(KeyFacts& facts);
  void order_lists(KeyFacts& facts);
  void order_by_time(KeyFacts& facts);

  // graph.cpp: the arrows.
  void add_edges(const KeyFacts& facts);
  void add_edge(const Edge& edge) {
    if (edge.from != edge.to) graph_.edges.push_back(edge);
  }
  void add_time();
  void keep_best();

  const History& history_;
  Graph graph_;
  std::vector<KeyFacts> facts_;  // of each key
};

}  // namespace lsm::check
