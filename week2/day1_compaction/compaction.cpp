#include "compaction.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "concat.h"
#include "drop_rule.h"
#include "merge.h"
#include "output_writer.h"
#include "base/todo.h"

namespace lsm {

namespace {

// What the task names, found in the tree.
struct Inputs {
  std::vector<Run> runs;  // newest first
  std::uint64_t bytes = 0;
  VersionEdit edit;  // removes them
};

Result<Inputs> find_inputs(const Tree& tree, const CompactionTask& task) {
  Inputs inputs;
  for (const CompactionTask::Input& input : task.inputs) {
    for (const RunShape& run : input.runs) {
      std::vector<TableHandlePtr> tables;
      for (const FileMetaPtr& file : run.files) {
        TableHandlePtr table = tree.find_handle(input.level, file->number);
        if (table == nullptr) {
          return fail(Code::internal,
                      fmt::format("compaction of table {:06}, which is not in "
                                  "level {}",
                                  file->number, input.level));
        }
        inputs.bytes += file->size_bytes;
        inputs.edit.removed.push_back({input.level, file->number});
        tables.push_back(std::move(table));
      }
      inputs.runs.emplace_back(std::move(tables), Table::Access::scan);
    }
  }
  return inputs;
}

Result<void> stop_if_cancelled(const CompactionContext& context) {
  // Task 7: stop_if_cancelled
  LSM_TODO("2.1 task 7", "stop_if_cancelled");
}

Result<void> merge_into(const CompactionContext& context,
                        const std::vector<Run>& runs, DropRule& rule,
                        OutputWriter& output, CompactionResult& result) {
  // Task 5: merge_into
  LSM_TODO("2.1 task 5", "merge_into");
}

}  // namespace

Result<CompactionResult> run_compaction(const CompactionContext& context,
                                        const CompactionTask& task) {
  LSM_ASSIGN_OR_RETURN(Inputs inputs, find_inputs(context.tree, task));
  CompactionResult result;
  result.bytes_read = inputs.bytes;
  result.edit = std::move(inputs.edit);
  DropRule rule(context.retention, context.filter,
                older_than_output(context.tree, task));
  OutputWriter output(context, task);
  if (auto merged = merge_into(context, inputs.runs, rule, output, result);
      !merged) {
    output.discard();
    return std::unexpected(std::move(merged).error());
  }
  // Task 5: run_compaction, the edit
  LSM_TODO("2.1 task 5", "run_compaction, the edit");
}

std::vector<RunPtr> older_than_output(const Tree& tree,
                                      const CompactionTask& task) {
  // Task 3: older_than_output
  LSM_TODO("2.1 task 3", "older_than_output");
}

}  // namespace lsm
