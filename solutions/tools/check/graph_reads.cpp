// Which version did a read see? A value names its writer; a removal does not.
#include <algorithm>
#include <iterator>
#include <map>

#include "tools/check/graph_builder.h"

namespace lsm::check {

void GraphBuilder::collect_writes(std::size_t trace) {
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
void GraphBuilder::collect_reads(std::size_t trace) {
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

// The one version that a read which found nothing can have seen.
int GraphBuilder::absence_seen(const KeyFacts& facts, const Trace& reader,
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

int GraphBuilder::version_seen(const KeyFacts& facts, std::size_t key,
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

void GraphBuilder::resolve_reads(KeyFacts& facts) {
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

}  // namespace lsm::check
