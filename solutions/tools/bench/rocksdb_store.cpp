// RocksDB with its defaults, but for the block-based table's filter, cache
// and block size and for compression, which is off. Its statistics stay off
// as well (they cost every operation): a file system in front of the real
// one counts the bytes of tables, logs and manifest instead.
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "store.h"

namespace lsm::bench {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using FilePointer = std::unique_ptr<rocksdb::FSWritableFile>;

Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

void check(const rocksdb::Status& status) {
  if (!status.ok()) fail("rocksdb: " + status.ToString());
}

class CountingFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  CountingFile(FilePointer file, std::atomic<std::uint64_t>* bytes)
      : FSWritableFileOwnerWrapper(std::move(file)), bytes_(bytes) {}

  IOStatus Append(const Slice& data, const IOOptions& options,
                  IODebugContext* context) override {
    count(data);
    return FSWritableFileOwnerWrapper::Append(data, options, context);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* context) override {
    count(data);
    return FSWritableFileOwnerWrapper::Append(data, options, verification,
                                              context);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset,
                            const IOOptions& options,
                            IODebugContext* context) override {
    count(data);
    return FSWritableFileOwnerWrapper::PositionedAppend(data, offset, options,
                                                        context);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset,
                            const IOOptions& options,
                            const rocksdb::DataVerificationInfo& verification,
                            IODebugContext* context) override {
    count(data);
    return FSWritableFileOwnerWrapper::PositionedAppend(data, offset, options,
                                                        verification, context);
  }

 private:
  void count(const Slice& data) {
    bytes_->fetch_add(data.size(), std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t>* bytes_;
};

class CountingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  CountingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "lsm-bench counter"; }

  IOStatus NewWritableFile(const std::string& name,
                           const rocksdb::FileOptions& options,
                           FilePointer* file,
                           IODebugContext* context) override {
    return wrap(target()->NewWritableFile(name, options, file, context), file);
  }
  IOStatus ReopenWritableFile(const std::string& name,
                              const rocksdb::FileOptions& options,
                              FilePointer* file,
                              IODebugContext* context) override {
    return wrap(target()->ReopenWritableFile(name, options, file, context),
                file);
  }
  IOStatus ReuseWritableFile(const std::string& name,
                             const std::string& old_name,
                             const rocksdb::FileOptions& options,
                             FilePointer* file,
                             IODebugContext* context) override {
    return wrap(
        target()->ReuseWritableFile(name, old_name, options, file, context),
        file);
  }
  std::uint64_t bytes() const { return bytes_.load(); }

 private:
  IOStatus wrap(IOStatus status, FilePointer* file) {
    if (status.ok()) {
      *file = std::make_unique<CountingFile>(std::move(*file), &bytes_);
    }
    return status;
  }
  std::atomic<std::uint64_t> bytes_{0};
};

class Cursor final {
 public:
  explicit Cursor(rocksdb::DB* db)
      : iterator_(db->NewIterator(rocksdb::ReadOptions())) {}
  rocksdb::Iterator* operator->() const { return iterator_.get(); }
  bool valid() const { return iterator_->Valid(); }
  void next() { iterator_->Next(); }
  void prev() { iterator_->Prev(); }
  std::string_view key() const { return iterator_->key().ToStringView(); }
  std::string_view value() const { return iterator_->value().ToStringView(); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDbReader final : public Reader {
 public:
  explicit RocksDbReader(rocksdb::DB* db) : db_(db) {}

  bool get(std::string_view key, std::string* value) override {
    rocksdb::Status status = db_->Get(options_, slice(key), value);
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
  rocksdb::DB* db_;
  rocksdb::ReadOptions options_;
  std::optional<Cursor> cursor_;
};

class RocksDbStore final : public Store {
 public:
  explicit RocksDbStore(const Settings& settings)
      : files_(std::make_shared<CountingFileSystem>()),
        env_(rocksdb::NewCompositeEnv(files_)) {
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(
        rocksdb::NewBloomFilterPolicy(settings.bloom_bits_per_key, false));
    table.block_cache = rocksdb::NewLRUCache(settings.cache_bytes);
    table.block_size = settings.block_bytes;

    rocksdb::Options options;
    options.create_if_missing = true;
    options.env = env_.get();
    options.write_buffer_size = settings.write_buffer_bytes;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, settings.path, &db));
    db_.reset(db);
  }

  void put(std::string_view key, std::string_view value, bool sync) override {
    rocksdb::WriteOptions options;
    options.sync = sync;
    check(db_->Put(options, slice(key), slice(value)));
  }
  std::unique_ptr<Reader> reader() override {
    return std::make_unique<RocksDbReader>(db_.get());
  }
  void wait_idle() override {
    // RocksDB 7 has no public call that waits; a later one is not in every
    // distribution. No clock runs while this polls.
    while (figure("rocksdb.mem-table-flush-pending") +
               figure("rocksdb.num-running-flushes") +
               figure("rocksdb.compaction-pending") +
               figure("rocksdb.num-running-compactions") !=
           0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void flush() override { check(db_->Flush(rocksdb::FlushOptions())); }
  void compact_all() override {
    check(db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  }
  std::optional<std::uint64_t> bytes_written() override {
    return files_->bytes();
  }
  std::optional<std::uint64_t> live_bytes() override {
    return figure("rocksdb.live-sst-files-size");
  }
  void close() override {
    check(db_->Close());
    db_.reset();
  }

 private:
  std::uint64_t figure(const char* name) {
    std::uint64_t value = 0;
    if (!db_->GetIntProperty(name, &value)) {
      fail(std::string("rocksdb: no property ") + name);
    }
    return value;
  }

  std::shared_ptr<CountingFileSystem> files_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;  // goes before what it uses
};

}  // namespace

std::unique_ptr<Store> open_rocksdb(const Settings& settings) {
  return std::make_unique<RocksDbStore>(settings);
}

std::string rocksdb_version() {
  return rocksdb::GetRocksVersionAsString();
}

}  // namespace lsm::bench
