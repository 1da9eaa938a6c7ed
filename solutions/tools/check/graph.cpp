#include "tools/check/graph.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "tools/check/graph_builder.h"

namespace lsm::check {

Graph GraphBuilder::build() {
  collect_keys();
  for (std::size_t trace = 0; trace < history_.traces.size(); ++trace)
    collect_writes(trace);
  for (std::size_t trace = 0; trace < history_.traces.size(); ++trace)
    collect_reads(trace);
  for (KeyFacts& facts : facts_) {
    resolve_reads(facts);
    order_updates(facts);
    order_lists(facts);
    order_by_time(facts);
    add_edges(facts);
  }
  add_time();
  keep_best();
  return std::move(graph_);
}

void GraphBuilder::collect_keys() {
  std::set<std::string> keys;
  for (const Trace& trace : history_.traces) {
    for (const Operation& operation : trace.operations) {
      if (operation.kind != Operation::Kind::scan) keys.insert(operation.key);
      for (const Entry& entry : operation.entries)
        keys.insert(entry.key);
    }
  }
  graph_.keys.assign(keys.begin(), keys.end());
  facts_.resize(graph_.keys.size());
  for (std::size_t key = 0; key < facts_.size(); ++key)
    add_version(key, std::nullopt, -1);
}

void GraphBuilder::add_edges(const KeyFacts& facts) {
  std::unordered_map<int, std::vector<const Read*>> readers;
  for (const Read& read : facts.reads) {
    readers[read.version].push_back(&read);
    if (writer_of(read.version) < 0) continue;
    add_edge({.from = static_cast<std::size_t>(writer_of(read.version)),
              .to = read.trace,
              .arrow = Arrow::wr,
              .before = read.version});
  }
  for (const Newer& newer : facts.newer) {
    Edge edge{.to = static_cast<std::size_t>(writer_of(newer.after)),
              .before = newer.before,
              .after = newer.after,
              .order = newer.order,
              .witness = newer.witness};
    if (writer_of(newer.before) >= 0) {
      edge.from = static_cast<std::size_t>(writer_of(newer.before));
      add_edge(edge);
    }
    const auto found = readers.find(newer.before);
    if (found == readers.end()) continue;
    const bool absent =
        !graph_.versions[static_cast<std::size_t>(newer.before)].value;
    for (const Read* read : found->second) {
      edge.from = read->trace;
      edge.arrow = Arrow::rw;
      edge.predicate = read->by_scan && absent;
      add_edge(edge);
    }
  }
}

void GraphBuilder::add_time() {
  std::vector<Stay> stays;
  for (std::size_t trace = 0; trace < history_.traces.size(); ++trace) {
    if (!trace_of(trace).committed()) continue;
    stays.push_back(
        {trace_of(trace).begin, trace_of(trace).end, static_cast<int>(trace)});
  }
  const Timeline all(stays);
  for (const Stay& stay : stays) {
    const auto from = static_cast<std::size_t>(stay.id);
    all.for_each_after(stay.end, [&](int other) {
      const auto to = static_cast<std::size_t>(other);
      const bool same = trace_of(from).session == trace_of(to).session;
      add_edge({.from = from,
                .to = to,
                .arrow = same ? Arrow::session : Arrow::realtime});
    });
  }
}

// Of the arrows of a pair the one that is easiest to tell.
void GraphBuilder::keep_best() {
  const auto rank = [](const Edge& edge) {
    return std::tuple(edge.from, edge.to, edge.arrow == Arrow::rw,
                      edge.arrow == Arrow::wr   ? Arrow::ww
                      : edge.arrow == Arrow::ww ? Arrow::wr
                                                : edge.arrow,
                      edge.predicate, edge.order, edge.before);
  };
  std::ranges::sort(graph_.edges, {}, rank);
  const auto same = [](const Edge& a, const Edge& b) {
    return a.from == b.from && a.to == b.to &&
           (a.arrow == Arrow::rw) == (b.arrow == Arrow::rw);
  };
  const auto rest = std::ranges::unique(graph_.edges, same);
  graph_.edges.erase(rest.begin(), rest.end());
}

Graph graph_of(const History& history) {
  return GraphBuilder(history).build();
}

}  // namespace lsm::check
