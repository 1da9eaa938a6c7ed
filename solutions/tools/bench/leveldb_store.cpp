// LevelDB with a Bloom filter, a block cache and as many open files as it
// will take. An Env in front of its own counts the bytes of every file it
// writes (tables, log, manifest) and the background work it has scheduled:
// LevelDB has no call that waits for its compactions, but it schedules the
// next one before the last one returns, so "none scheduled" is "idle".
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "store.h"

namespace lsm::bench {
namespace {

using leveldb::Slice;

Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(Slice text) {
  return {text.data(), text.size()};
}

void check(const leveldb::Status& status) {
  if (!status.ok()) fail("leveldb: " + status.ToString());
}

class CountingFile final : public leveldb::WritableFile {
 public:
  CountingFile(leveldb::WritableFile* file, std::atomic<std::uint64_t>* bytes)
      : file_(file), bytes_(bytes) {}
  leveldb::Status Append(const Slice& data) override {
    bytes_->fetch_add(data.size(), std::memory_order_relaxed);
    return file_->Append(data);
  }
  leveldb::Status Close() override { return file_->Close(); }
  leveldb::Status Flush() override { return file_->Flush(); }
  leveldb::Status Sync() override { return file_->Sync(); }

 private:
  std::unique_ptr<leveldb::WritableFile> file_;
  std::atomic<std::uint64_t>* bytes_;
};

class CountingEnv final : public leveldb::EnvWrapper {
 public:
  CountingEnv() : EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewWritableFile(const std::string& name,
                                  leveldb::WritableFile** file) override {
    leveldb::Status status = target()->NewWritableFile(name, file);
    if (status.ok()) *file = new CountingFile(*file, &bytes_);
    return status;
  }
  leveldb::Status NewAppendableFile(const std::string& name,
                                    leveldb::WritableFile** file) override {
    leveldb::Status status = target()->NewAppendableFile(name, file);
    if (status.ok()) *file = new CountingFile(*file, &bytes_);
    return status;
  }
  void Schedule(void (*run)(void*), void* argument) override {
    {
      std::lock_guard lock(mutex_);
      ++scheduled_;
    }
    target()->Schedule(&CountingEnv::run_counted,
                       new Work{this, run, argument});
  }

  void wait_idle() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return scheduled_ == 0; });
  }
  std::uint64_t bytes() const { return bytes_.load(); }

 private:
  struct Work {
    CountingEnv* env;
    void (*run)(void*);
    void* argument;
  };

  static void run_counted(void* argument) {
    std::unique_ptr<Work> work(static_cast<Work*>(argument));
    work->run(work->argument);
    std::lock_guard lock(work->env->mutex_);
    if (--work->env->scheduled_ == 0) work->env->idle_.notify_all();
  }

  std::atomic<std::uint64_t> bytes_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  int scheduled_ = 0;
};

class Cursor final {
 public:
  explicit Cursor(leveldb::DB* db)
      : iterator_(db->NewIterator(leveldb::ReadOptions())) {}
  leveldb::Iterator* operator->() const { return iterator_.get(); }
  bool valid() const { return iterator_->Valid(); }
  void next() { iterator_->Next(); }
  void prev() { iterator_->Prev(); }
  std::string_view key() const { return view(iterator_->key()); }
  std::string_view value() const { return view(iterator_->value()); }

 private:
  std::unique_ptr<leveldb::Iterator> iterator_;
};

class LevelDbReader final : public Reader {
 public:
  explicit LevelDbReader(leveldb::DB* db) : db_(db) {}

  bool get(std::string_view key, std::string* value) override {
    leveldb::Status status =
        db_->Get(leveldb::ReadOptions(), slice(key), value);
    if (status.IsNotFound()) return false;
    check(status);
    return true;
  }
  void seek(std::string_view key, std::uint64_t nexts, bool fresh,
            Walk* seen) override {
    if (fresh || !cursor_) cursor_.emplace(db_);
    (*cursor_)->Seek(slice(key));
    walk(*cursor_, Direction::forward, nexts + 1, seen);
    check((*cursor_)->status());
  }
  void scan(Direction direction, Walk* seen) override {
    Cursor cursor(db_);
    if (direction == Direction::forward) {
      cursor->SeekToFirst();
    } else {
      cursor->SeekToLast();
    }
    walk(cursor, direction, kNoLimit, seen);
    check(cursor->status());
  }

 private:
  leveldb::DB* db_;
  std::optional<Cursor> cursor_;
};

class LevelDbStore final : public Store {
 public:
  explicit LevelDbStore(const Settings& settings)
      : path_(settings.path),
        filter_(leveldb::NewBloomFilterPolicy(settings.bloom_bits_per_key)),
        cache_(leveldb::NewLRUCache(settings.cache_bytes)) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = &env_;
    options.write_buffer_size = settings.write_buffer_bytes;
    options.block_size = settings.block_bytes;
    options.filter_policy = filter_.get();
    options.block_cache = cache_.get();
    options.compression = leveldb::kNoCompression;
    options.max_open_files = 50'000;  // the largest that it accepts
    leveldb::DB* db = nullptr;
    check(leveldb::DB::Open(options, settings.path, &db));
    db_.reset(db);
  }

  void put(std::string_view key, std::string_view value, bool sync) override {
    leveldb::WriteOptions options;
    options.sync = sync;
    check(db_->Put(options, slice(key), slice(value)));
  }
  std::unique_ptr<Reader> reader() override {
    return std::make_unique<LevelDbReader>(db_.get());
  }
  void wait_idle() override { env_.wait_idle(); }
  void flush() override {
    // A manual compaction begins by flushing the memtable; over a range
    // that holds nothing it does no more than that.
    const std::string last(64, '\xff');
    const Slice nothing = last;
    db_->CompactRange(&nothing, &nothing);
  }
  void compact_all() override { db_->CompactRange(nullptr, nullptr); }
  std::optional<std::uint64_t> bytes_written() override { return env_.bytes(); }
  std::optional<std::uint64_t> live_bytes() override {
    return file_bytes(path_, ".ldb");
  }
  void close() override { db_.reset(); }

 private:
  std::string path_;
  CountingEnv env_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_;  // goes before what it uses
};

}  // namespace

std::unique_ptr<Store> open_leveldb(const Settings& settings) {
  return std::make_unique<LevelDbStore>(settings);
}

std::string leveldb_version() {
  return std::to_string(leveldb::kMajorVersion) + '.' +
         std::to_string(leveldb::kMinorVersion);
}

}  // namespace lsm::bench
