#include "compaction.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "concat.h"
#include "merge.h"

namespace lsm {

namespace {

// The input tables of one run, read ahead and past the cache.
class InputRun final : public ConcatSource {
 public:
  explicit InputRun(std::vector<TableHandlePtr> tables)
      : tables_(std::move(tables)) {}

  std::size_t size() const override { return tables_.size(); }
  InternalKey smallest(std::size_t i) const override {
    return tables_[i]->meta()->smallest.view();
  }
  InternalKey largest(std::size_t i) const override {
    return tables_[i]->meta()->largest.view();
  }
  Result<std::unique_ptr<InternalIterator>> open(std::size_t i) const override {
    LSM_ASSIGN_OR_RETURN(const Table* table, tables_[i]->table());
    return table->iterator(Table::Access::scan);
  }

 private:
  std::vector<TableHandlePtr> tables_;
};

// Cuts the merged sequence into tables.
class OutputWriter {
 public:
  OutputWriter(const CompactionContext& context, const CompactionTask& task)
      : context_(context), task_(task) {}

  Result<void> add(const InternalKey& key, std::string_view value) {
    const bool full = builder_ != nullptr &&
                      builder_->size_bytes() >= task_.target_file_size_bytes;
    if (full && key.user != last_user_) LSM_TRY(finish_table());  // I2
    if (builder_ == nullptr) LSM_TRY(start_table());
    last_user_.assign(key.user);
    return builder_->add(key, value);
  }

  Result<void> finish() {
    if (builder_ != nullptr) LSM_TRY(finish_table());
    return context_.fs.sync_dir(context_.folder);
  }

  // After an error: nothing of this compaction stays.
  void discard() {
    builder_.reset();
    for (const std::uint64_t number : numbers_) {
      (void)context_.fs.remove(
          file_path(context_.folder, FileKind::table, number));
    }
  }

  std::vector<FileMeta>& files() { return files_; }

 private:
  Result<void> start_table() {
    numbers_.push_back(context_.numbers.take());
    LSM_ASSIGN_OR_RETURN(
        builder_,
        TableBuilder::create(
            context_.fs,
            file_path(context_.folder, FileKind::table, numbers_.back()),
            {context_.store_id, numbers_.back()}, context_.table_options));
    return {};
  }

  Result<void> finish_table() {
    LSM_ASSIGN_OR_RETURN(FileMeta file, builder_->finish());
    if (task_.output_level == 0) file.run = numbers_.front();
    files_.push_back(std::move(file));
    builder_.reset();
    return {};
  }

  const CompactionContext& context_;
  const CompactionTask& task_;
  std::unique_ptr<TableBuilder> builder_;
  std::vector<std::uint64_t> numbers_;
  std::vector<FileMeta> files_;
  std::string last_user_;
};

// What the task names, found in the tree.
struct Inputs {
  std::vector<InputRun> runs;  // newest first
  std::vector<RunPtr> below;
  std::uint64_t bytes = 0;
  VersionEdit edit;  // removes them
};

Result<Inputs> find_inputs(const Tree& tree, const CompactionTask& task) {
  Inputs inputs;
  std::set<std::uint64_t> numbers;
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
        numbers.insert(file->number);
        inputs.bytes += file->size_bytes;
        inputs.edit.removed.push_back({input.level, file->number});
        tables.push_back(std::move(table));
      }
      inputs.runs.emplace_back(std::move(tables));
    }
  }
  // Older than the output: what lies deeper, and, in the output's own level,
  // what comes after the first input.
  for (int level = task.output_level; level < kMaxLevels; ++level) {
    bool after_inputs = level > 0;
    for (const RunPtr& run : tree.level(level)) {
      std::vector<TableHandlePtr> others;
      for (const TableHandlePtr& table : run->tables()) {
        if (numbers.contains(table->meta()->number)) {
          after_inputs = true;
        } else {
          others.push_back(table);
        }
      }
      if (after_inputs && !others.empty()) {
        inputs.below.push_back(std::make_shared<const Run>(std::move(others)));
      }
    }
  }
  return inputs;
}

Result<void> merge_into(const CompactionContext& context, Inputs& inputs,
                        OutputWriter& output, CompactionResult& result) {
  std::vector<std::unique_ptr<InternalIterator>> sources;
  for (const InputRun& run : inputs.runs) {
    sources.push_back(make_concat_iterator(run));
  }
  const auto entry = make_merge_iterator(std::move(sources));
  DropRule rule(context.retention, context.filter, std::move(inputs.below));
  for (entry->seek_to_first(); entry->valid(); entry->next()) {
    if (++result.entries_in % 1024 == 0 && context.cancel.load()) {
      return fail(Code::closed, "compaction cancelled: the store is closing");
    }
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
  LSM_TRY(entry->status());  // an unreadable input is not an empty one
  return output.finish();
}

}  // namespace

Result<CompactionResult> run_compaction(const CompactionContext& context,
                                        const CompactionTask& task) {
  LSM_ASSIGN_OR_RETURN(Inputs inputs, find_inputs(context.tree, task));
  CompactionResult result;
  result.bytes_read = inputs.bytes;
  result.edit = std::move(inputs.edit);
  OutputWriter output(context, task);
  if (auto merged = merge_into(context, inputs, output, result); !merged) {
    output.discard();
    return std::unexpected(std::move(merged).error());
  }
  for (FileMeta& file : output.files()) {
    result.bytes_written += file.size_bytes;
    result.edit.added.push_back({task.output_level, std::move(file)});
  }
  return result;
}

}  // namespace lsm
