#include "compaction.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "concat.h"
#include "drop_rule.h"
#include "merge.h"
#include "output_writer.h"

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
  // ANCHOR: task-2-1-7 stop_if_cancelled
  if (!context.cancel.load()) return {};
  return fail(Code::closed, "compaction cancelled: the store is closing");
  // ANCHOR_END: task-2-1-7
}

Result<void> merge_into(const CompactionContext& context,
                        const std::vector<Run>& runs, DropRule& rule,
                        OutputWriter& output, CompactionResult& result) {
  // ANCHOR: task-2-1-5 merge_into
  std::vector<std::unique_ptr<InternalIterator>> sources;
  for (const Run& run : runs)
    sources.push_back(make_concat_iterator(run));
  const auto entry = make_merge_iterator(std::move(sources));
  for (entry->seek_to_first(); entry->valid(); entry->next()) {
    if (++result.entries_in % 1024 == 0) LSM_TRY(stop_if_cancelled(context));
    const InternalKey key = entry->key();
    switch (rule.judge(key, entry->value())) {
      case DropRule::Verdict::keep:
        LSM_TRY(output.add(key, entry->value()));
        break;
      case DropRule::Verdict::bury:
        LSM_TRY(
            output.add({key.user, make_tag(key.sequence(), Kind::remove)}, {}));
        break;
      case DropRule::Verdict::drop:
        continue;
    }
    ++result.entries_out;
  }
  LSM_TRY(entry->status());  // I5
  return output.finish();
  // ANCHOR_END: task-2-1-5
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
  // ANCHOR: task-2-1-5 run_compaction, the edit
  for (FileMeta& file : output.files()) {
    result.bytes_written += file.size_bytes;
    result.edit.added.push_back({task.output_level, std::move(file)});
  }
  return result;
  // ANCHOR_END: task-2-1-5
}

std::vector<RunPtr> older_than_output(const Tree& tree,
                                      const CompactionTask& task) {
  // ANCHOR: task-2-1-3 older_than_output
  std::set<std::uint64_t> inputs;
  for (const CompactionTask::Input& input : task.inputs) {
    for (const RunShape& run : input.runs) {
      for (const FileMetaPtr& file : run.files)
        inputs.insert(file->number);
    }
  }
  std::vector<RunPtr> below;
  for (int level = task.output_level; level < kMaxLevels; ++level) {
    bool behind = level > 0;  // the first input, in age
    for (const RunPtr& run : tree.level(level)) {
      std::vector<TableHandlePtr> others;
      for (const TableHandlePtr& table : run->tables()) {
        if (inputs.contains(table->meta()->number)) {
          behind = true;
        } else {
          others.push_back(table);
        }
      }
      if (behind && !others.empty()) {
        below.push_back(std::make_shared<const Run>(std::move(others)));
      }
    }
  }
  return below;
  // ANCHOR_END: task-2-1-3
}

}  // namespace lsm
