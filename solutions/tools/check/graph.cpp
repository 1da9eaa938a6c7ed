#include "tools/check/graph.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace lsm::check {
namespace {

constexpr int kUnknown = -1;

std::string shown(const std::optional<std::string>& value) {
  return value.value_or("nothing");
}

// Somebody's stay between two ticks.
struct Stay {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  int id = 0;
};

// Who comes right after, and right before, a stay: those that nobody else of
// the set separates from it.
class Timeline {
 public:
  explicit Timeline(std::vector<Stay> stays)
      : by_begin_(std::move(stays)), by_end_(by_begin_) {
    std::ranges::sort(by_begin_, {}, &Stay::begin);
    std::ranges::sort(by_end_, {}, &Stay::end);
    earliest_end_.resize(by_begin_.size());
    std::uint64_t earliest = UINT64_MAX;
    for (std::size_t i = by_begin_.size(); i-- > 0;)
      earliest_end_[i] = earliest = std::min(earliest, by_begin_[i].end);
    std::uint64_t latest = 0;
    for (const Stay& stay : by_end_)
      latest_begin_.push_back(latest = std::max(latest, stay.begin));
  }

  template <typename Visit>
  void for_each_after(std::uint64_t end, Visit visit) const {
    const auto from =
        std::ranges::upper_bound(by_begin_, end, {}, &Stay::begin);
    if (from == by_begin_.end()) return;
    const std::uint64_t limit =
        earliest_end_[static_cast<std::size_t>(from - by_begin_.begin())];
    for (auto it = from; it != by_begin_.end() && it->begin <= limit; ++it)
      visit(it->id);
  }
  template <typename Visit>
  void for_each_before(std::uint64_t begin, Visit visit) const {
    auto it = std::ranges::lower_bound(by_end_, begin, {}, &Stay::end);
    if (it == by_end_.begin()) return;
    const std::uint64_t limit =
        latest_begin_[static_cast<std::size_t>(it - by_end_.begin()) - 1];
    while (it != by_end_.begin() && (--it)->end >= limit)
      visit(it->id);
  }
  // Is somebody's whole stay between the two ticks?
  bool any_between(std::uint64_t after, std::uint64_t before) const {
    const auto from =
        std::ranges::upper_bound(by_begin_, after, {}, &Stay::begin);
    return from != by_begin_.end() &&
           earliest_end_[static_cast<std::size_t>(from - by_begin_.begin())] <
               before;
  }

 private:
  std::vector<Stay> by_begin_;
  std::vector<Stay> by_end_;
  std::vector<std::uint64_t> earliest_end_;  // of by_begin_[i …]
  std::vector<std::uint64_t> latest_begin_;  // of by_end_[… i]
};

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

class Builder {
 public:
  explicit Builder(const History& history) : history_(history) {}

  Graph build() {
    collect_keys();
    for (std::size_t trace = 0; trace < history_.traces.size(); ++trace)
      collect_writes(trace);
    for (std::size_t trace = 0; trace < history_.traces.size(); ++trace)
      collect_reads(trace);
    for (KeyFacts& facts : facts_) {
      resolve_reads(facts);
      order_versions(facts);
      add_edges(facts);
    }
    add_time();
    keep_best();
    return std::move(graph_);
  }

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
  void collect_writes(std::size_t trace);
  void collect_reads(std::size_t trace);
  void resolve_reads(KeyFacts& facts);
  int version_seen(const KeyFacts& facts, std::size_t key, const Seen& seen);
  int absence_seen(const KeyFacts& facts, const Trace& reader,
                   const Timeline& writers) const;
  Timeline timeline_of(const KeyFacts& facts) const;
  void order_versions(KeyFacts& facts);
  void order_lists(KeyFacts& facts);
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

void Builder::collect_keys() {
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

void Builder::collect_writes(std::size_t trace) {
  std::map<std::size_t, const Operation*> last;
  const bool committed = trace_of(trace).committed();
  for (const Operation& operation : trace_of(trace).operations) {
    if (operation.kind != Operation::Kind::put &&
        operation.kind != Operation::Kind::remove) {
      continue;
    }
    const std::size_t key = index_of(operation.key);
    const auto [at, is_new] = last.emplace(key, &operation);
    if (!committed && operation.value) {
      facts_[key].aborted.emplace(*operation.value, trace);
    }
    if (is_new) continue;
    const Operation& before = *std::exchange(at->second, &operation);
    if (committed && before.value) {
      facts_[key].overwritten.emplace(*before.value, trace);
    }
  }
  if (!committed) return;
  for (const auto& [key, operation] : last) {
    const bool put = operation->kind == Operation::Kind::put;
    const int id = add_version(key, put ? operation->value : std::nullopt,
                               static_cast<int>(trace));
    if (!put) continue;
    // Two with one value: nobody can say whose was seen.
    const auto [at, is_new] =
        facts_[key].by_value.emplace(*operation->value, id);
    if (!is_new) at->second = kUnknown;
  }
}

// Reads of what it wrote itself must agree with that, and reads of the same
// key with each other; the first of each key counts. A scan that was left open
// shows own writes as they were when it was opened.
void Builder::collect_reads(std::size_t trace) {
  using Value = std::optional<std::string>;
  // Of each key: own writes, by their places among the operations.
  std::map<std::size_t, std::map<std::size_t, Value>> own;
  std::map<std::size_t, Value> known;  // of the snapshot
  const auto see = [&](std::size_t key, const Value& value, std::size_t place,
                       bool by_scan) {
    const Value* expected = nullptr;
    if (const auto writes = own.find(key); writes != own.end()) {
      const auto later = writes->second.lower_bound(place);
      if (later != writes->second.begin()) {
        expected = &std::prev(later)->second;
      }
    }
    if (expected == nullptr) {
      const auto [at, is_new] = known.emplace(key, value);
      if (is_new && trace_of(trace).committed()) {
        facts_[key].seen.push_back({trace, value, by_scan});
      }
      expected = &at->second;
    }
    if (*expected != value) {
      misread(Fault::unrepeatable, trace, std::nullopt, key, shown(value),
              shown(*expected));
    }
  };
  std::size_t place = 0;
  for (const Operation& operation : trace_of(trace).operations) {
    switch (operation.kind) {
      case Operation::Kind::get:
        see(index_of(operation.key), operation.value, place, false);
        break;
      case Operation::Kind::put:
      case Operation::Kind::remove:
        own[index_of(operation.key)].emplace(
            place, operation.kind == Operation::Kind::put ? operation.value
                                                          : std::nullopt);
        break;
      case Operation::Kind::scan: {
        auto entry = operation.entries.begin();
        for (std::size_t key = index_of(operation.range.lower);
             key < graph_.keys.size() &&
             contains(operation.range, graph_.keys[key]);
             ++key) {
          const bool there = entry != operation.entries.end() &&
                             entry->key == graph_.keys[key];
          see(key, there ? std::optional(entry->value) : std::nullopt,
              operation.opened.value_or(place), true);
          if (there) ++entry;
        }
        break;
      }
    }
    ++place;
  }
}

Timeline Builder::timeline_of(const KeyFacts& facts) const {
  std::vector<Stay> stays;
  for (const int version : facts.versions) {
    if (writer_of(version) < 0) continue;
    const Trace& writer = writer_trace(version);
    stays.push_back({writer.begin, writer.end, version});
  }
  return Timeline(std::move(stays));
}

// The one version that a read which found nothing can have seen.
int Builder::absence_seen(const KeyFacts& facts, const Trace& reader,
                          const Timeline& writers) const {
  int possible = kUnknown;
  int latest = kUnknown;  // of those that were removed or never there
  for (const int version : facts.versions) {
    if (graph_.versions[static_cast<std::size_t>(version)].value) continue;
    const bool first = writer_of(version) < 0;
    // Committed when it had begun?
    if (!first && writer_trace(version).asked > reader.begun) continue;
    if (latest == kUnknown || first || writer_of(latest) < 0 ||
        writer_trace(version).end > writer_trace(latest).end) {
      latest = version;
    }
    const std::uint64_t end = first ? 0 : writer_trace(version).end;
    if (writers.any_between(end, reader.begin)) continue;  // written over
    if (possible != kUnknown) return kUnknown;
    possible = version;
  }
  // All written over: it saw the past, and from the latest on that is wrong.
  return possible != kUnknown ? possible : latest;
}

int Builder::version_seen(const KeyFacts& facts, std::size_t key,
                          const Seen& seen) {
  const std::string& value = *seen.value;
  if (const auto found = facts.by_value.find(value);
      found != facts.by_value.end()) {
    return found->second;
  }
  if (const auto found = facts.overwritten.find(value);
      found != facts.overwritten.end()) {
    misread(Fault::intermediate, seen.trace, found->second, key, value);
  } else if (const auto lost = facts.aborted.find(value);
             lost != facts.aborted.end()) {
    misread(Fault::aborted, seen.trace, lost->second, key, value);
  } else {
    misread(Fault::garbage, seen.trace, std::nullopt, key, value);
  }
  return kUnknown;
}

void Builder::resolve_reads(KeyFacts& facts) {
  const Timeline writers = timeline_of(facts);
  const auto key = static_cast<std::size_t>(&facts - facts_.data());
  for (const Seen& seen : facts.seen) {
    const Trace& reader = trace_of(seen.trace);
    const int version = seen.value ? version_seen(facts, key, seen)
                                   : absence_seen(facts, reader, writers);
    if (version == kUnknown) continue;
    facts.reads.push_back({seen.trace, version, seen.by_scan});
    const int writer = writer_of(version);
    if (writer >= 0 && writer_trace(version).asked > reader.begun) {
      misread(Fault::early, seen.trace, static_cast<std::size_t>(writer), key,
              shown(seen.value));
    }
  }
}

// Everything in a list was there before what comes behind it.
void Builder::order_lists(KeyFacts& facts) {
  const auto key = static_cast<std::size_t>(&facts - facts_.data());
  // The version by whose writer an element came.
  std::unordered_map<std::string, int> by_element;
  std::map<std::string, std::pair<std::vector<std::string>, std::size_t>> lists;
  for (const int version : facts.versions) {
    const int writer = writer_of(version);
    if (writer < 0) continue;
    for (const Operation& operation : writer_trace(version).operations) {
      if (operation.kind != Operation::Kind::put ||
          operation.key != graph_.keys[key]) {
        continue;
      }
      auto elements = elements_of(*operation.value);
      if (elements && !elements->empty()) {
        by_element.emplace(elements->back(), version);
      }
    }
  }
  if (by_element.empty()) return;
  for (const Seen& seen : facts.seen) {
    if (!seen.value || lists.contains(*seen.value)) continue;
    if (auto elements = elements_of(*seen.value)) {
      lists.emplace(*seen.value, std::pair(std::move(*elements), seen.trace));
    }
  }
  const std::pair<const std::string,
                  std::pair<std::vector<std::string>, std::size_t>>* longest =
      nullptr;
  for (const auto& list : lists) {
    if (longest == nullptr ||
        list.second.first.size() > longest->second.first.size()) {
      longest = &list;
    }
  }
  std::set<std::pair<int, int>> known;
  for (const auto& list : lists) {
    const auto& [elements, reader] = list.second;
    if (!std::ranges::equal(
            elements,
            std::span(longest->second.first).first(elements.size()))) {
      misread(Fault::forked_list, reader, longest->second.second, key,
              list.first, longest->first);
    }
    for (std::size_t i = 1; i < elements.size(); ++i) {
      const auto older = by_element.find(elements[i - 1]);
      const auto newer = by_element.find(elements[i]);
      if (older == by_element.end() || newer == by_element.end() ||
          older->second == newer->second ||
          !known.emplace(older->second, newer->second).second) {
        continue;
      }
      facts.newer.push_back({older->second, newer->second, Order::list});
    }
  }
}

void Builder::order_versions(KeyFacts& facts) {
  const auto key = static_cast<std::size_t>(&facts - facts_.data());
  const Timeline writers = timeline_of(facts);
  const auto first = facts.versions.front();
  const auto local = [&](int version) {
    return static_cast<std::size_t>(
        std::ranges::lower_bound(facts.versions, version) -
        facts.versions.begin());
  };
  // Read, then written.
  std::unordered_map<int, int> own;  // trace to version
  for (const int version : facts.versions)
    own.emplace(writer_of(version), version);
  std::map<int, std::size_t> updated_by;
  for (const Read& read : facts.reads) {
    const auto written = own.find(static_cast<int>(read.trace));
    if (written == own.end() || written->second == read.version) continue;
    facts.newer.push_back({read.version, written->second, Order::read});
    const auto [other, is_new] = updated_by.emplace(read.version, read.trace);
    if (!is_new) {
      misread(
          Fault::lost_update, read.trace, other->second, key,
          shown(graph_.versions[static_cast<std::size_t>(read.version)].value));
    }
  }
  order_lists(facts);
  for (const int version : facts.versions) {
    if (writer_of(version) < 0) continue;
    writers.for_each_after(writer_trace(version).end, [&](int newer) {
      facts.newer.push_back({version, newer, Order::realtime});
    });
  }
  // What follows from all this; only what does not is worth more arrows.
  const std::size_t count = facts.versions.size();
  std::vector<std::vector<std::size_t>> next(count);
  for (const Newer& newer : facts.newer)
    next[local(newer.before)].push_back(local(newer.after));
  std::vector<std::vector<bool>> reached(count);
  const auto reaches = [&](int from, int to) {
    if (from == first) return true;
    std::vector<bool>& seen = reached[local(from)];
    if (seen.empty()) {
      seen.resize(count);
      std::vector<std::size_t> open = {local(from)};
      while (!open.empty()) {
        const std::size_t at = open.back();
        open.pop_back();
        for (const std::size_t to_visit : next[at]) {
          if (seen[to_visit]) continue;
          seen[to_visit] = true;
          open.push_back(to_visit);
        }
      }
    }
    return bool(seen[local(to)]);
  };
  std::set<std::pair<int, int>> known;
  const auto learn = [&](int before, int after, Order order,
                         std::size_t witness) {
    if (before == after || after == first) return;
    if (reaches(before, after) || reaches(after, before)) return;
    if (!known.emplace(before, after).second) return;
    facts.newer.push_back({before, after, order, static_cast<int>(witness)});
  };
  for (const Read& read : facts.reads) {
    const Trace& reader = trace_of(read.trace);
    writers.for_each_before(reader.begin, [&](int older) {
      learn(older, read.version, Order::seen, read.trace);
    });
    writers.for_each_after(reader.end, [&](int newer) {
      learn(read.version, newer, Order::read_before, read.trace);
    });
  }
  // The empty store's is older than all; say so of those that follow nobody.
  std::vector<bool> follows(count);
  for (const Newer& newer : facts.newer)
    follows[local(newer.after)] = true;
  for (std::size_t i = 1; i < count; ++i) {
    if (!follows[i]) {
      facts.newer.push_back({first, facts.versions[i], Order::first});
    }
  }
}

void Builder::add_edges(const KeyFacts& facts) {
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

void Builder::add_time() {
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
void Builder::keep_best() {
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

}  // namespace

Graph graph_of(const History& history) {
  return Builder(history).build();
}

}  // namespace lsm::check
