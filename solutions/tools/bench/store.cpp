#include "store.h"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

namespace lsm::bench {

void fail(const std::string& message) {
  throw std::runtime_error(message);
}

std::uint64_t file_bytes(const std::string& directory,
                         std::string_view suffix) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().native().ends_with(suffix)) sum += entry.file_size();
  }
  return sum;
}

std::vector<Engine> engines() {
  std::vector<Engine> all;
#ifdef LSM_HAVE_ENGINE
  all.push_back({"lsm", true, "this project", ""});
  all.push_back({"lsm-tiered", true, "the same, --policy tiered", "", true});
  all.push_back({"lsm-simple", true, "the same, --policy simple", "", true});
  all.push_back({"lsm-snapshot", true,
                 "lsm that holds a snapshot from the first settle on", "",
                 true});
#else
  all.push_back({"lsm", false, "", "the engine's sources"});
#endif
#ifdef LSM_HAVE_LEVELDB
  all.push_back({"leveldb", true, leveldb_version(), "libleveldb-dev"});
#else
  all.push_back({"leveldb", false, "", "libleveldb-dev"});
#endif
#ifdef LSM_HAVE_ROCKSDB
  all.push_back({"rocksdb", true, rocksdb_version(), "librocksdb-dev"});
#else
  all.push_back({"rocksdb", false, "", "librocksdb-dev"});
#endif
#ifdef LSM_HAVE_LMDB
  all.push_back({"lmdb", true, lmdb_version(), "liblmdb-dev"});
#else
  all.push_back({"lmdb", false, "", "liblmdb-dev"});
#endif
  all.push_back({"map", true, "std::map", "", true});
  return all;
}

std::unique_ptr<Store> open_store(std::string_view engine,
                                  [[maybe_unused]] const Settings& settings) {
  if (engine == "map") return open_map();
#ifdef LSM_HAVE_ENGINE
  if (engine.starts_with("lsm")) {
    Settings own = settings;
    if (engine == "lsm-snapshot") {
      own.idle_snapshot = true;
    } else if (engine != "lsm") {
      own.policy = engine.substr(sizeof "lsm-" - 1);
    }
    return open_lsm(own);
  }
#endif
#ifdef LSM_HAVE_LEVELDB
  if (engine == "leveldb") return open_leveldb(settings);
#endif
#ifdef LSM_HAVE_ROCKSDB
  if (engine == "rocksdb") return open_rocksdb(settings);
#endif
#ifdef LSM_HAVE_LMDB
  if (engine == "lmdb") return open_lmdb(settings);
#endif
  fail(fmt::format("{}: no such engine in this build", engine));
}

}  // namespace lsm::bench
