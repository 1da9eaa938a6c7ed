// LMDB, a copy-on-write B+-tree in one mapped file: the other school.
//
// Every put is a transaction of its own, as it is for the others. Unsynced
// puts run with MDB_WRITEMAP, MDB_NOSYNC and MDB_MAPASYNC: pages are changed
// in the shared mapping, so a killed process loses nothing and a power cut
// may lose (or break) the store; it is LMDB's fastest setting with the
// promise that the others give. A synced put clears MDB_NOSYNC and
// MDB_MAPASYNC first and then pays for a commit that is safe against both.
//
// Bytes written cannot be counted in a mapping, so they are reckoned: each
// commit copies one page per level of the data tree and of the tree of free
// pages, and writes a meta page. The depths are sampled every 256 puts.
// Live bytes are all pages up to the last one used, free ones included:
// the file does not shrink. A B+-tree has nothing to flush or to compact.
#include <lmdb.h>

#include <atomic>

#include "store.h"

namespace lsm::bench {
namespace {

void check(int code) {
  if (code != MDB_SUCCESS) fail(std::string("lmdb: ") + mdb_strerror(code));
}

MDB_val value_of(std::string_view text) {
  // LMDB takes void* for input, too, and does not write through it.
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// Moves over what a read transaction sees.
class Cursor final {
 public:
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}
  void move(MDB_cursor_op operation) {
    const int code = mdb_cursor_get(cursor_, &key_, &value_, operation);
    valid_ = code == MDB_SUCCESS;
    if (!valid_ && code != MDB_NOTFOUND) check(code);
  }
  void seek(std::string_view key) {
    key_ = value_of(key);
    move(MDB_SET_RANGE);
  }
  bool valid() const { return valid_; }
  void next() { move(MDB_NEXT); }
  void prev() { move(MDB_PREV); }
  std::string_view key() const { return view(key_); }
  std::string_view value() const { return view(value_); }

 private:
  MDB_cursor* cursor_;
  MDB_val key_{};
  MDB_val value_{};
  bool valid_ = false;
};

// One read transaction and one cursor, renewed for each operation: that is
// how LMDB wants to be used, and it sees every put that returned.
class LmdbReader final : public Reader {
 public:
  LmdbReader(MDB_env* env, MDB_dbi dbi) : dbi_(dbi) {
    check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_));
    check(mdb_cursor_open(txn_, dbi_, &cursor_));
    end();
  }
  LmdbReader(const LmdbReader&) = delete;
  LmdbReader& operator=(const LmdbReader&) = delete;
  ~LmdbReader() override {
    mdb_cursor_close(cursor_);
    mdb_txn_abort(txn_);
  }

  bool get(std::string_view key, std::string* value) override {
    begin();
    MDB_val wanted = value_of(key);
    MDB_val found{};
    const int code = mdb_get(txn_, dbi_, &wanted, &found);
    if (code == MDB_SUCCESS) {
      value->assign(view(found));
    } else if (code != MDB_NOTFOUND) {
      check(code);
    }
    end();
    return code == MDB_SUCCESS;
  }

  void seek(std::string_view key, std::uint64_t nexts, bool fresh,
            Walk* seen) override {
    if (fresh || !active_) begin_cursor();
    Cursor cursor(cursor_);
    cursor.seek(key);
    walk(cursor, Direction::forward, nexts + 1, seen);
    if (fresh) end();
  }

  void scan(Direction direction, Walk* seen) override {
    begin_cursor();
    Cursor cursor(cursor_);
    cursor.move(direction == Direction::forward ? MDB_FIRST : MDB_LAST);
    walk(cursor, direction, kNoLimit, seen);
    end();
  }

 private:
  void begin() {
    if (active_) end();
    check(mdb_txn_renew(txn_));
    active_ = true;
  }
  void begin_cursor() {
    begin();
    check(mdb_cursor_renew(txn_, cursor_));
  }
  void end() {
    mdb_txn_reset(txn_);
    active_ = false;
  }

  MDB_dbi dbi_;
  MDB_txn* txn_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  bool active_ = false;
};

class LmdbStore final : public Store {
 public:
  explicit LmdbStore(const Settings& settings) {
    check(mdb_env_create(&env_));
    // Half-full pages, and the file never shrinks; the map is sparse.
    const std::uint64_t map_bytes =
        settings.expected_bytes * 6 + (std::uint64_t{1} << 30);
    check(mdb_env_set_mapsize(env_, map_bytes));
    check(mdb_env_open(env_, settings.path.c_str(),
                       MDB_WRITEMAP | MDB_NOTLS | kUnsynced, 0644));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, nullptr, 0, &dbi_));
    check(mdb_txn_commit(txn));
    MDB_stat stat{};
    check(mdb_env_stat(env_, &stat));
    page_bytes_ = stat.ms_psize;
  }
  LmdbStore(const LmdbStore&) = delete;
  LmdbStore& operator=(const LmdbStore&) = delete;
  ~LmdbStore() override {
    if (env_ != nullptr) mdb_env_close(env_);
  }

  void put(std::string_view key, std::string_view value, bool sync) override {
    if (sync != synced_.load(std::memory_order_relaxed)) {
      check(mdb_env_set_flags(env_, kUnsynced, sync ? 0 : 1));
      synced_ = sync;
    }
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    MDB_val k = value_of(key);
    MDB_val v = value_of(value);
    check(mdb_put(txn, dbi_, &k, &v, 0));
    if (puts_++ % 256 == 0) sample_depth(txn);  // under the writer's lock
    pages_ += pages_per_put_;
    check(mdb_txn_commit(txn));
  }
  std::unique_ptr<Reader> reader() override {
    return std::make_unique<LmdbReader>(env_, dbi_);
  }
  void wait_idle() override {}
  void flush() override {}
  void compact_all() override {}
  std::optional<std::uint64_t> bytes_written() override {
    return pages_ * page_bytes_;
  }
  std::optional<std::uint64_t> live_bytes() override {
    MDB_envinfo info{};
    check(mdb_env_info(env_, &info));
    return (info.me_last_pgno + 1) * page_bytes_;
  }
  void close() override {
    mdb_env_close(env_);
    env_ = nullptr;
  }

 private:
  static constexpr unsigned kUnsynced = MDB_NOSYNC | MDB_MAPASYNC;
  static constexpr MDB_dbi kFreePages = 0;  // LMDB's own first database

  void sample_depth(MDB_txn* txn) {
    MDB_stat data{};
    MDB_stat free{};
    check(mdb_stat(txn, dbi_, &data));
    check(mdb_stat(txn, kFreePages, &free));
    pages_per_put_ = data.ms_depth + free.ms_depth + 1;
  }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  std::uint64_t page_bytes_ = 0;
  std::atomic<bool> synced_ = false;
  // Changed only inside a write transaction, which is exclusive.
  std::uint64_t puts_ = 0;
  std::uint64_t pages_ = 0;
  std::uint64_t pages_per_put_ = 0;
};

}  // namespace

std::unique_ptr<Store> open_lmdb(const Settings& settings) {
  return std::make_unique<LmdbStore>(settings);
}

std::string lmdb_version() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  mdb_version(&major, &minor, &patch);
  return std::to_string(major) + '.' + std::to_string(minor) + '.' +
         std::to_string(patch);
}

}  // namespace lsm::bench
