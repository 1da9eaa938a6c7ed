#include "base/sim_disk.h"

#include <algorithm>
#include <utility>

namespace lsm {
namespace {

// The names that a set of changes touches.
class TouchedNames {
 public:
  void add(const SimChange& change) {
    for (const SimNameChange& one : change) {
      names_.emplace(one.folder.get(), one.name);
    }
  }
  bool touch(const SimChange& change) const {
    return std::ranges::any_of(change, [&](const SimNameChange& one) {
      return names_.contains({one.folder.get(), one.name});
    });
  }

 private:
  std::set<std::pair<const SimNode*, std::string>> names_;
};

void apply(SimNames& names, const SimNameChange& change) {
  if (change.target) {
    names[change.name] = change.target;
  } else {
    names.erase(change.name);
  }
}

void make_durable(const SimChange& change) {
  for (const SimNameChange& one : change) {
    apply(one.folder->durable_names, one);
  }
}

// The same tree once more; what was one node with two names still is.
class Copier {
 public:
  SimNodeRef copy(const SimNodeRef& from) {
    if (!from) return nullptr;
    SimNodeRef& to = copies_[from.get()];  // a map's elements stay put
    if (to) return to;
    to = std::make_shared<SimNode>(*from);
    for (auto& [name, node] : to->live_names)
      node = copy(node);
    for (auto& [name, node] : to->durable_names)
      node = copy(node);
    return to;
  }

 private:
  std::map<const SimNode*, SimNodeRef> copies_;
};

// What a power cut makes of a tree whose durable names are settled.
class PowerCut {
 public:
  explicit PowerCut(Splitmix& random) : random_(random) {}

  void strike(SimNode& node) {
    if (!done_.insert(&node).second) return;  // a hard link
    if (node.folder) {
      node.live_names = node.durable_names;
      for (const auto& [name, child] : node.live_names)
        strike(*child);
    } else {
      node.live = SimContent::after_power_cut(node.durable, node.live, random_);
      node.durable = node.live;
    }
  }

 private:
  Splitmix& random_;
  std::set<const SimNode*> done_;
};

}  // namespace

Result<void> SimDisk::begin_operation(SimOperation operation) {
  {
    MutexLock held(mutex);
    LSM_TRY(check_power());
    operation.number = ++operations;
    if (operation.number >= cut_at) {
      write_back();
      mappings.clear();  // later stores into windows reach nothing
      power = false;
    }
    LSM_TRY(check_power());
  }
  if (hook) hook(operation);
  return {};
}

Result<void> SimDisk::check_power() const {
  if (!power) return fail(Code::io, "power is off");
  return {};
}

SimPlace SimDisk::find(std::string_view path) const {
  SimPlace place{nullptr, "", root};
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    const bool inside = place.node && place.node->folder;
    place.folder = inside ? place.node : nullptr;
    place.name = part;
    place.node = nullptr;
    if (!inside) continue;
    const auto found = place.folder->live_names.find(part);
    if (found != place.folder->live_names.end()) place.node = found->second;
  }
  return place;
}

void SimDisk::change_names(SimChange change) {
  for (const SimNameChange& one : change)
    apply(one.folder->live_names, one);
  pending.push_back(std::move(change));
}

void SimDisk::settle(const SimNodeRef& folder) {
  TouchedNames covered;
  std::vector<bool> settled(pending.size());
  for (std::size_t i = pending.size(); i-- > 0;) {
    settled[i] = covered.touch(pending[i]) ||
                 std::ranges::any_of(pending[i], [&](const SimNameChange& one) {
                   return one.folder == folder;
                 });
    if (settled[i]) covered.add(pending[i]);
  }
  std::vector<SimChange> rest;
  for (std::size_t i = 0; i < pending.size(); i++) {
    if (settled[i]) {
      make_durable(pending[i]);
    } else {
      rest.push_back(std::move(pending[i]));
    }
  }
  pending = std::move(rest);
}

void SimDisk::settle_some(CrashModel model, Splitmix& random) {
  if (model == CrashModel::ordered) {
    const std::uint64_t kept = random.below(pending.size() + 1);
    for (std::size_t i = 0; i < kept; i++)
      make_durable(pending[i]);
  } else {
    const std::uint64_t odds = 1 + random.below(7);  // of eight are kept
    TouchedNames lost;
    for (const SimChange& change : pending) {
      if (random.below(8) < odds && !lost.touch(change)) {
        make_durable(change);
      } else {
        lost.add(change);
      }
    }
  }
  pending.clear();
}

void SimDisk::write_back() {
  for (const auto& mapping : mappings)
    write_back(*mapping);
}

void SimDisk::write_back(const SimNode& node) {
  for (const auto& mapping : mappings) {
    if (mapping->node.get() == &node) write_back(*mapping);
  }
}

void SimDisk::write_back(const SimMapping& mapping) {
  mapping.node->live.write_back(mapping.offset,
                                {mapping.bytes.data(), mapping.bytes.size()});
}

void SimDisk::end_process() {
  write_back();
  mappings.clear();
  locked.clear();
  process++;
}

void SimDisk::power_cycle(CrashModel model, std::uint64_t seed) {
  end_process();
  Splitmix random(seed);
  settle_some(model, random);
  PowerCut(random).strike(*root);
  power = true;
  cut_at = UINT64_MAX;
}

std::unique_ptr<SimDisk> SimDisk::clone() {
  write_back();
  auto copy = std::make_unique<SimDisk>();
  MutexLock held(copy->mutex);
  Copier copier;
  copy->root = copier.copy(root);
  for (const SimChange& change : pending) {
    SimChange& to = copy->pending.emplace_back();
    for (const SimNameChange& one : change) {
      to.push_back(
          {copier.copy(one.folder), one.name, copier.copy(one.target)});
    }
  }
  copy->operations = operations;
  copy->power = power;
  return copy;
}

}  // namespace lsm
