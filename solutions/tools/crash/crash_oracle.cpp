#include "tools/crash/crash_oracle.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "base/splitmix.h"

namespace lsm::crash {
namespace {

constexpr std::uint64_t kKeys = 150;

WriteBatch make_batch(std::uint64_t seed, int i) {
  Splitmix random(seed * 1'000'003 + static_cast<std::uint64_t>(i));
  WriteBatch batch;
  batch.put("last", std::to_string(i));
  for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
    const std::string key = fmt::format("key{}", random.below(kKeys));
    if (random.below(4) == 0) {
      batch.remove(key);
      continue;
    }
    std::string value(static_cast<std::size_t>(random.below(200)), ' ');
    for (char& c : value)
      c = static_cast<char>('a' + random.below(26));
    batch.put(key, value);
  }
  return batch;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 32;
  std::string shown;
  for (const char c : text.substr(0, kShown))
    shown += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() <= kShown) return fmt::format("\"{}\"", shown);
  return fmt::format("\"{}…\" ({} bytes)", shown, text.size());
}

}  // namespace

Options tiny_options(CompactionStyle policy, FileSystem& fs,
                     Executor& executor) {
  Options options;
  options.file_system = &fs;
  options.executor = &executor;
  options.compaction_style = policy;
  options.write_buffer_size_bytes = 8 << 10;
  options.target_file_size_bytes = 8 << 10;
  options.base_level_size_bytes = 32 << 10;
  options.level_size_multiplier = 4;
  options.tiered_max_runs = 4;
  options.tiered_min_merge_width = 2;
  options.block_size_bytes = 512;
  options.block_cache_bytes = 64 << 10;
  options.compression = Compression::none;
  return options;
}

Oracle::Oracle(std::uint64_t seed, int batches) {
  models_.resize(1);
  for (int i = 1; i <= batches; ++i)
    batches_.push_back(make_batch(seed, i));
  for (const WriteBatch& batch : batches_) {
    Model model = models_.back();
    for (const WriteOp& op : batch.ops()) {
      if (op.kind == Kind::put) {
        model[op.key] = op.value;
      } else {
        model.erase(op.key);
      }
    }
    models_.push_back(std::move(model));
  }
}

Verdict Oracle::judge(Db& db, int at_least, int at_most) const {
  const auto last = db.get("last");
  if (!last) return {0, "get(\"last\") fails: " + last.error().message};
  const int m = last->has_value() ? std::atoi((*last)->c_str()) : 0;
  if (m < at_least) {
    return {m, fmt::format("it ends with batch {}, and {} was promised", m,
                           at_least)};
  }
  if (m > at_most) {
    return {m, fmt::format("it ends with batch {}, and none after {} was "
                           "started",
                           m, at_most)};
  }
  const auto differs = [&](std::string_view key, const std::string& expected,
                           const std::string& found) -> Verdict {
    return {m, fmt::format("it ends with batch {}, but is not what batches 1 … "
                           "{} make\n"
                           "  key      {}\n  expected {}\n  found    {}",
                           m, m, quoted(key), expected, found)};
  };
  const Model& model = models_[static_cast<std::size_t>(m)];
  const auto it = db.scan();
  auto at = model.begin();
  for (it->seek_to_first(); it->valid(); it->next(), ++at) {
    if (at == model.end() || it->key() < at->first) {
      return differs(it->key(), "nothing", quoted(it->value()));
    }
    if (it->key() > at->first) {
      return differs(at->first, quoted(at->second), "nothing");
    }
    if (it->value() != at->second) {
      return differs(at->first, quoted(at->second), quoted(it->value()));
    }
  }
  if (const auto status = it->status(); !status) {
    return {m, "a scan fails: " + status.error().message};
  }
  if (at != model.end()) {
    return differs(at->first, quoted(at->second), "nothing");
  }
  return {m, ""};
}

}  // namespace lsm::crash
