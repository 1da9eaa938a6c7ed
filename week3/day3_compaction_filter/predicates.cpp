#include <algorithm>
#include <utility>

#include "lsm/compaction_filters.h"
#include "base/todo.h"

namespace lsm {
namespace {

class DropIf final : public CompactionFilter {
 public:
  explicit DropIf(Predicate gives_up) : gives_up_(std::move(gives_up)) {}

  bool keep(const InternalKey& key, std::string_view value) const override {
    // Task 5: drop_if, keep
    LSM_TODO("3.3 task 5", "drop_if, keep");
  }

 private:
  const Predicate gives_up_;
};

class AllOf final : public CompactionFilter {
 public:
  explicit AllOf(std::vector<std::shared_ptr<const CompactionFilter>> filters)
      : filters_(std::move(filters)) {}

  bool keep(const InternalKey& key, std::string_view value) const override {
    // Task 5: all_of, keep
    LSM_TODO("3.3 task 5", "all_of, keep");
  }

 private:
  const std::vector<std::shared_ptr<const CompactionFilter>> filters_;
};

}  // namespace

std::shared_ptr<const CompactionFilter> drop_if(Predicate gives_up) {
  return std::make_shared<const DropIf>(std::move(gives_up));
}

std::shared_ptr<const CompactionFilter> all_of(
    std::vector<std::shared_ptr<const CompactionFilter>> filters) {
  return std::make_shared<const AllOf>(std::move(filters));
}

}  // namespace lsm
