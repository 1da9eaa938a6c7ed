#include "workspace.h"

namespace lsm {

namespace {

std::size_t size_of(std::string_view key, std::string_view value) {
  return key.size() + value.size() + kNodeBytes;
}

}  // namespace

Lookup Workspace::get(std::string_view key, std::string& value) const {
  // ANCHOR: task-3-4-1 Workspace::get
  const auto found = writes_->find(key);
  if (found == writes_->end()) return Lookup::absent;
  if (found->second.kind == Kind::remove) return Lookup::removed;
  value = found->second.value;
  return Lookup::value;
  // ANCHOR_END: task-3-4-1
}

void Workspace::write(const WriteOp& op) {
  // ANCHOR: task-3-4-1 Workspace::write
  memory_bytes_ = memory_bytes_with(op);
  if (writes_.use_count() > 1) {  // I2: somebody reads this one
    writes_ = std::make_shared<OwnWrites>(*writes_);
  }
  auto found = writes_->find(op.key);
  if (found == writes_->end()) {
    found = writes_->emplace(op.key, OwnWrite()).first;
  }
  found->second.kind = op.kind;
  found->second.value.assign(op.value);
  // ANCHOR_END: task-3-4-1
}

std::vector<WriteOp> Workspace::ops() const {
  // ANCHOR: task-3-4-1 Workspace::ops
  std::vector<WriteOp> ops;
  ops.reserve(writes_->size());
  for (const auto& [key, write] : *writes_)
    ops.push_back({write.kind, key, write.value});
  return ops;
  // ANCHOR_END: task-3-4-1
}

std::size_t Workspace::memory_bytes_with(const WriteOp& op) const {
  // ANCHOR: task-3-4-1 Workspace::memory_bytes_with
  const auto found = writes_->find(op.key);
  const std::size_t before =
      found == writes_->end() ? 0 : size_of(op.key, found->second.value);
  return memory_bytes_ - before + size_of(op.key, op.value);
  // ANCHOR_END: task-3-4-1
}

}  // namespace lsm
