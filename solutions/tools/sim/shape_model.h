// A model of the tree for policies to work on: no files, no blocks, no clock;
// keys are numbers, and every entry is two words of memory. It does to the
// shape exactly what the engine would, so that a policy can be watched over
// millions of writes in a second.
//
//   put, remove ─► buffer ─ full ─► level 0 run ─► policy.pick(shape) ─► apply
//
// I1 shape() is sound (base/tree_shape.h, I1 to I3), if every task was legal.
// I2 apply() keeps of each key the newest version, and drops a tombstone when
//    no table below covers its key: room 2.1's rule, without snapshots.
// I3 The same calls give the same shapes: no randomness of its own.
// Cost: put O(1), then as many copies as the policy asks for, 16 bytes an
// entry.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/compaction_policy.h"
#include "legal_task.h"

namespace lsm::sim {

class ShapeModel {
 public:
  struct Settings {
    std::uint64_t entry_bytes = 100;
    std::size_t entries_a_buffer = 1000;
    int key_digits = 10;
  };
  struct Totals {
    std::uint64_t user_bytes = 0;
    std::uint64_t flushed_bytes = 0;
    std::uint64_t read_bytes = 0;     // by tasks, moves not counted
    std::uint64_t written_bytes = 0;  // by tasks, moves not counted
    std::uint64_t largest_task_bytes = 0;
    std::size_t flushes = 0;
    std::size_t tasks = 0;
    std::size_t moves = 0;
  };
  // Says of a key whether compaction may forget it (room 3.3's filter).
  using Expired = std::function<bool(std::uint64_t key)>;

  explicit ShapeModel(Settings settings) : settings_(settings) {}

  // True when the buffer is full: flush it.
  bool put(std::uint64_t key) { return write(key, false); }
  bool remove(std::uint64_t key) { return write(key, true); }
  void expire(Expired expired) { expired_ = std::move(expired); }

  // The buffer becomes the newest run of level 0.
  void flush() {
    if (buffer_.empty()) return;
    sort_and_shadow(buffer_);
    std::vector<FileMetaPtr> files =
        cut(std::exchange(buffer_, {}), ~std::uint64_t{0});
    ++totals_.flushes;
    totals_.flushed_bytes += RunShape{files}.size_bytes();
    auto& runs = shape_.levels[0].runs;
    runs.insert(runs.begin(), {std::move(files)});
  }

  // Does what the engine would; the reason why not, if the task is illegal.
  std::string apply(const CompactionTask& task) {
    if (std::string why = why_illegal(shape_, task); !why.empty()) return why;
    std::uint64_t bytes = 0;
    std::vector<Entry> merged;
    std::vector<FileMetaPtr> output;
    std::size_t place = 0;  // of the output in its level
    for (const CompactionTask::Input& input : task.inputs) {
      auto& runs = level(input.level).runs;
      for (const RunShape& run : input.runs) {
        bytes += run.size_bytes();
        for (const FileMetaPtr& file : run.files) {
          auto entries = std::move(tables_.extract(file->number).mapped());
          if (task.trivial_move) {
            tables_.emplace(file->number, std::move(entries));
            output.push_back(file);
          } else {
            merged.insert(merged.end(), entries.begin(), entries.end());
          }
          for (std::size_t i = 0; i < runs.size(); ++i) {
            if (std::erase(runs[i].files, file) > 0) place = i;
          }
        }
      }
      // In level 0 the output stands where its oldest input stood.
      std::size_t emptied = 0;
      for (std::size_t i = 0; i < place; ++i)
        emptied += runs[i].files.empty() ? 1u : 0u;
      std::erase_if(runs,
                    [](const RunShape& run) { return run.files.empty(); });
      place -= emptied;
    }
    if (!task.trivial_move) {
      sort_and_shadow(merged);
      drop_dead(merged, task);
      output = cut(std::move(merged), task.target_file_size_bytes);
    }
    place_output(task.output_level, place, output);
    count(task, bytes, RunShape{output}.size_bytes());
    return "";
  }

  // Applies what the policy picks until it picks nothing; the number of tasks.
  // `seen` is called before each. Stops at an illegal task, whose reason it
  // leaves in `wrong`, and after `limit` tasks.
  std::size_t settle(
      const CompactionPolicy& policy, std::size_t limit, std::string& wrong,
      const std::function<void(const CompactionTask&)>& seen = {}) {
    std::size_t tasks = 0;
    while (tasks < limit) {
      const std::optional<CompactionTask> task = policy.pick(shape_);
      if (!task) break;
      if (seen) seen(*task);
      ++tasks;
      wrong = apply(*task);
      if (!wrong.empty()) break;
    }
    return tasks;
  }

  // The newest version of `key` below the buffer: its sequence, 0 if none or a
  // tombstone. Looks where the engine would: the first run that has it.
  std::uint64_t find(std::uint64_t key) const {
    for (const LevelShape& level : shape_.levels) {
      for (const RunShape& run : level.runs) {
        for (const FileMetaPtr& file : run.files) {
          const std::vector<Entry>& entries = tables_.at(file->number);
          const auto at =
              std::ranges::lower_bound(entries, key, {}, &Entry::key);
          if (at == entries.end() || at->key != key) continue;
          return at->removed() ? 0 : at->sequence();
        }
      }
    }
    return 0;
  }

  const TreeShape& shape() const { return shape_; }
  const Totals& totals() const { return totals_; }
  std::uint64_t sequence() const { return sequence_; }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t stamp = 0;  // sequence << 1 | removed

    Sequence sequence() const { return stamp >> 1; }
    bool removed() const { return (stamp & 1) != 0; }
  };

  LevelShape& level(int number) {
    return shape_.levels[static_cast<std::size_t>(number)];
  }

  bool write(std::uint64_t key, bool removed) {
    buffer_.push_back({key, ++sequence_ << 1 | (removed ? 1u : 0u)});
    totals_.user_bytes += settings_.entry_bytes;
    return buffer_.size() >= settings_.entries_a_buffer;
  }

  // By key; of one key only the newest stays.
  static void sort_and_shadow(std::vector<Entry>& entries) {
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
      return a.key != b.key ? a.key < b.key : a.stamp > b.stamp;
    });
    const auto same = std::ranges::unique(entries, {}, &Entry::key);
    entries.erase(same.begin(), same.end());
  }

  void drop_dead(std::vector<Entry>& entries,
                 const CompactionTask& task) const {
    // Whatever is left and older than the inputs: deeper levels, the rest of
    // the output's level, and in level 0 conservatively every run.
    std::vector<FileMetaPtr> below;
    for (int at = task.output_level; at < kMaxLevels; ++at) {
      for (const RunShape& run :
           shape_.levels[static_cast<std::size_t>(at)].runs) {
        below.insert(below.end(), run.files.begin(), run.files.end());
      }
    }
    if (expired_) {
      for (Entry& entry : entries) {
        if (expired_(entry.key)) entry.stamp |= 1;
      }
    }
    std::erase_if(entries, [&](const Entry& entry) {
      if (!entry.removed()) return false;
      const std::string key = name(entry.key);
      return std::ranges::none_of(below, [&](const FileMetaPtr& file) {
        return file->smallest.user() <= key && key <= file->largest.user();
      });
    });
  }

  // Tables of at most about `size_bytes`.
  std::vector<FileMetaPtr> cut(std::vector<Entry> entries,
                               std::uint64_t size_bytes) {
    const std::size_t most = static_cast<std::size_t>(
        std::max<std::uint64_t>(size_bytes / settings_.entry_bytes, 1));
    std::vector<FileMetaPtr> files;
    for (std::size_t from = 0; from < entries.size();) {
      const std::size_t to = from + std::min(most, entries.size() - from);
      std::vector<Entry> part(
          entries.begin() + static_cast<std::ptrdiff_t>(from),
          entries.begin() + static_cast<std::ptrdiff_t>(to));
      auto file = std::make_shared<FileMeta>();
      file->number = ++number_;
      file->entries = part.size();
      file->size_bytes = part.size() * settings_.entry_bytes;
      file->oldest_sequence = file->newest_sequence = part[0].sequence();
      for (const Entry& entry : part) {
        file->tombstones += entry.removed() ? 1u : 0u;
        file->oldest_sequence =
            std::min<Sequence>(file->oldest_sequence, entry.sequence());
        file->newest_sequence =
            std::max<Sequence>(file->newest_sequence, entry.sequence());
      }
      file->smallest = bound(part.front());
      file->largest = bound(part.back());
      tables_.emplace(file->number, std::move(part));
      files.push_back(std::move(file));
      from = to;
    }
    return files;
  }

  void place_output(int to, std::size_t place,
                    const std::vector<FileMetaPtr>& files) {
    if (files.empty()) return;
    auto& runs = level(to).runs;
    if (to == 0) {
      runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(place), {files});
      return;
    }
    if (runs.empty()) runs.emplace_back();
    auto& all = runs[0].files;
    all.insert(all.end(), files.begin(), files.end());
    std::ranges::sort(all, {}, [](const FileMetaPtr& file) {
      return std::string_view(file->smallest.user());
    });
  }

  void count(const CompactionTask& task, std::uint64_t in, std::uint64_t out) {
    if (task.trivial_move) {
      ++totals_.moves;
      return;
    }
    ++totals_.tasks;
    totals_.read_bytes += in;
    totals_.written_bytes += out;
    totals_.largest_task_bytes = std::max(totals_.largest_task_bytes, in);
  }

  std::string name(std::uint64_t key) const {
    return fmt::format("{:0{}}", key, settings_.key_digits);
  }
  InternalKeyBuffer bound(const Entry& entry) const {
    const Kind kind = entry.removed() ? Kind::remove : Kind::put;
    return InternalKeyBuffer(
        {name(entry.key), make_tag(entry.sequence(), kind)});
  }

  Settings settings_;
  Expired expired_;
  TreeShape shape_;
  Totals totals_;
  std::map<std::uint64_t, std::vector<Entry>> tables_;
  std::vector<Entry> buffer_;
  std::uint64_t sequence_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace lsm::sim
