#include "workspace.h"
#include "base/todo.h"

namespace lsm {

namespace {

std::size_t size_of(std::string_view key, std::string_view value) {
  return key.size() + value.size() + kNodeBytes;
}

}  // namespace

Lookup Workspace::get(std::string_view key, std::string& value) const {
  // Task 1: Workspace::get
  LSM_TODO("3.4 task 1", "Workspace::get");
}

void Workspace::write(const WriteOp& op) {
  // Task 1: Workspace::write
  LSM_TODO("3.4 task 1", "Workspace::write");
}

std::vector<WriteOp> Workspace::ops() const {
  // Task 1: Workspace::ops
  LSM_TODO("3.4 task 1", "Workspace::ops");
}

std::size_t Workspace::memory_bytes_with(const WriteOp& op) const {
  // Task 1: Workspace::memory_bytes_with
  LSM_TODO("3.4 task 1", "Workspace::memory_bytes_with");
}

}  // namespace lsm
