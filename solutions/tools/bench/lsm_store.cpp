// This project's engine through its public API, as an application uses it.
// Its FileSystem counts all bytes, those of mapped logs included.
#include <lsm/db.h>

#include "store.h"

namespace lsm::bench {
namespace {

template <class T>
T check(Result<T> result) {
  if (!result) {
    fail("lsm: " + std::string(to_string(result.error().code)) + ": " +
         result.error().message);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class Cursor final {
 public:
  explicit Cursor(Db* db) : iterator_(db->scan()) {}
  UserIterator* operator->() const { return iterator_.get(); }
  bool valid() const { return iterator_->valid(); }
  void next() { iterator_->next(); }
  void prev() { iterator_->prev(); }
  std::string_view key() const { return iterator_->key(); }
  std::string_view value() const { return iterator_->value(); }

 private:
  std::unique_ptr<UserIterator> iterator_;
};

class LsmReader final : public Reader {
 public:
  explicit LsmReader(Db* db) : db_(db) {}

  bool get(std::string_view key, std::string* value) override {
    return check(db_->get(key, *value));
  }
  void seek(std::string_view key, std::uint64_t nexts, bool fresh,
            Walk* seen) override {
    if (fresh || !cursor_) cursor_.emplace(db_);
    (*cursor_)->seek(key);
    walk(*cursor_, Direction::forward, nexts + 1, seen);
    check((*cursor_)->status());
  }
  void scan(Direction direction, Walk* seen) override {
    Cursor cursor(db_);
    if (direction == Direction::forward) {
      cursor->seek_to_first();
    } else {
      cursor->seek_to_last();
    }
    walk(cursor, direction, kNoLimit, seen);
    check(cursor->status());
  }

 private:
  Db* db_;
  std::optional<Cursor> cursor_;
};

class LsmStore final : public Store {
 public:
  explicit LsmStore(const Settings& settings) {
    Options options;
    options.write_buffer_size_bytes = settings.write_buffer_bytes;
    options.block_size_bytes = settings.block_bytes;
    options.filter_bits_per_key = settings.bloom_bits_per_key;
    options.block_cache_bytes = settings.cache_bytes;
    options.compression = Compression::none;
    if (settings.policy == "tiered") {
      options.compaction_style = CompactionStyle::tiered;
    } else if (settings.policy == "simple") {
      options.compaction_style = CompactionStyle::simple;
    }
    idle_snapshot_ = settings.idle_snapshot;
    db_ = check(Db::open(settings.path, options));
    before_ = db_->stats().io.bytes_written;
  }

  void put(std::string_view key, std::string_view value, bool sync) override {
    check(db_->put(key, value, {.sync = sync}));
  }
  std::unique_ptr<Reader> reader() override {
    return std::make_unique<LsmReader>(db_.get());
  }
  void wait_idle() override { check(db_->wait_idle()); }
  void flush() override {
    check(db_->flush());
    if (idle_snapshot_ && !snapshot_) snapshot_ = check(db_->snapshot());
  }
  void compact_all() override { check(db_->compact()); }
  std::optional<std::uint64_t> bytes_written() override {
    return db_->stats().io.bytes_written - before_;
  }
  std::optional<std::uint64_t> live_bytes() override {
    std::uint64_t sum = 0;
    for (const LevelStats& level : db_->stats().levels) {
      sum += level.size_bytes;
    }
    return sum;
  }
  void close() override {
    snapshot_.reset();
    check(db_->close());
    db_.reset();
  }

 private:
  std::unique_ptr<Db> db_;
  bool idle_snapshot_ = false;
  SnapshotPtr snapshot_;
  // The file system outlives its stores and goes on counting.
  std::uint64_t before_ = 0;
};

}  // namespace

std::unique_ptr<Store> open_lsm(const Settings& settings) {
  return std::make_unique<LsmStore>(settings);
}

}  // namespace lsm::bench
