// A Store is one key-value engine behind the few calls that a benchmark
// needs, so that every engine is asked exactly the same thing.
//
//   workload --> Store --> LevelDB | RocksDB | LMDB | std::map | lsm
//                  |
//                  +--> Reader, one per thread: get, seek + next n, scan
//
// What is fair, and therefore the rule for every adapter:
//   I1 The same settings go to all: write buffer, block size, Bloom bits,
//      cache, no compression. What a Settings field does not name stays at
//      the engine's own default.
//   I2 A put is durable against a killed process when it returns; a put
//      with `sync` is durable against a power cut. Nobody runs without a
//      log (LMDB, which has none, writes into a shared mapping).
//   I3 A get sees every put that returned before it began, and copies the
//      value into the caller's string: nobody hands out a view.
//   I4 A scan is driven inside the adapter by walk() below, so that the
//      abstraction costs one virtual call a scan and not four an entry.
//   I5 bytes_written() counts at the file layer, logs included, before the
//      kernel sees them: what the engine asked for, not what the disk did.
//
// Threads: put, reader and the figures may be called from any thread; a
// Reader belongs to one. Destroy the Readers before the Store.
// Errors: any call throws std::runtime_error; a benchmark that cannot go on
// has nothing better to do than to say why and stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lsm::bench {

struct Settings {
  std::string path;  // a directory that exists and is empty
  std::size_t write_buffer_bytes = std::size_t{64} << 20;
  std::size_t block_bytes = 4096;
  int bloom_bits_per_key = 10;
  std::size_t cache_bytes = std::size_t{512} << 20;
  std::string policy = "leveled";  // lsm alone: or tiered, simple
  bool idle_snapshot = false;  // lsm alone: one held from the first settle on
  // Key and value bytes that will ever be put; LMDB sizes its map by it.
  std::uint64_t expected_bytes = 0;
};

inline std::uint64_t load_u64(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// What a walk over entries saw. `fold` depends on every value's stamp (its
// bytes 8 to 15, see data.h) and on their order: an entry that is missing,
// stale, double or out of place changes it.
struct Walk {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t fold = 0;

  void take_stamp(std::uint64_t stamp) {
    ++entries;
    fold = fold * 0x9e3779b97f4a7c15U + stamp;
  }
  void take(std::string_view key, std::string_view value) {
    bytes += key.size() + value.size();
    take_stamp(value.size() < 16 ? 0 : load_u64(value.data() + 8));
  }
  friend bool operator==(const Walk&, const Walk&) = default;
};

enum class Direction { forward, backward };

class Reader {
 public:
  virtual ~Reader() = default;
  // True and the value in *value, or false when the key is absent.
  virtual bool get(std::string_view key, std::string* value) = 0;
  // Takes the first entry at or after `key` and up to `nexts` after it. A
  // fresh seek sees the store as it is now; otherwise the Reader's iterator
  // is made at the first call and used again.
  virtual void seek(std::string_view key, std::uint64_t nexts, bool fresh,
                    Walk* walk) = 0;
  // Takes every entry, from one end to the other.
  virtual void scan(Direction direction, Walk* walk) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void put(std::string_view key, std::string_view value, bool sync) = 0;
  virtual std::unique_ptr<Reader> reader() = 0;
  // Returns when no background work is running or due.
  virtual void wait_idle() = 0;
  // Writes what is in memory to tables; engines without tables do nothing.
  virtual void flush() = 0;
  // Merges everything into as few levels as the engine can.
  virtual void compact_all() = 0;
  // All bytes written since open, logs included; nothing when unknown.
  virtual std::optional<std::uint64_t> bytes_written() = 0;
  // Bytes of the live tables on disk, logs excluded; nothing when unknown.
  virtual std::optional<std::uint64_t> live_bytes() = 0;
  // Closes and reports what went wrong; call it once, before destruction.
  virtual void close() = 0;
};

// Every engine's name, whether this build has it, and what it is.
struct Engine {
  std::string name;
  bool compiled_in = false;
  std::string version;      // empty when not compiled in
  std::string package;      // what to install when it is missing
  bool on_request = false;  // runs only when it is named
};
std::vector<Engine> engines();

std::unique_ptr<Store> open_store(std::string_view engine,
                                  const Settings& settings);

[[noreturn]] void fail(const std::string& message);

// The sum of the sizes of the files in `directory` that end in `suffix`.
std::uint64_t file_bytes(const std::string& directory, std::string_view suffix);

// An iterator with valid, next, prev, key, value, walked to the end or for
// `limit` entries. A template: the calls on a final class are direct.
template <class Cursor>
void walk(Cursor& cursor, Direction direction, std::uint64_t limit,
          Walk* seen) {
  for (; limit != 0 && cursor.valid(); --limit) {
    seen->take(cursor.key(), cursor.value());
    if (limit == 1) break;  // a seek without nexts moves no further
    if (direction == Direction::forward) {
      cursor.next();
    } else {
      cursor.prev();
    }
  }
}

inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

std::unique_ptr<Store> open_map();
#ifdef LSM_HAVE_ENGINE
std::unique_ptr<Store> open_lsm(const Settings& settings);
#endif
#ifdef LSM_HAVE_LEVELDB
std::unique_ptr<Store> open_leveldb(const Settings& settings);
std::string leveldb_version();
#endif
#ifdef LSM_HAVE_ROCKSDB
std::unique_ptr<Store> open_rocksdb(const Settings& settings);
std::string rocksdb_version();
#endif
#ifdef LSM_HAVE_LMDB
std::unique_ptr<Store> open_lmdb(const Settings& settings);
std::string lmdb_version();
#endif

}  // namespace lsm::bench
