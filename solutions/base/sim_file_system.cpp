#include "base/sim_file_system.h"

#include <utility>

#include "base/sim_disk.h"

namespace lsm {
namespace {

std::unexpected<Error> missing(const std::string& path) {
  return fail(Code::not_found, path + ": no such file or folder");
}

std::unexpected<Error> refuse(const std::string& path, const char* why) {
  return fail(Code::io, path + ": " + why);
}

class SimWindow final : public Window {
 public:
  SimWindow(SimDisk& disk, std::shared_ptr<SimMapping> mapping)
      : disk_(disk), mapping_(std::move(mapping)) {}
  ~SimWindow() override {
    MutexLock held(disk_.mutex);
    if (std::erase(disk_.mappings, mapping_) > 0) disk_.write_back(*mapping_);
  }
  std::span<char> bytes() override { return mapping_->bytes; }

 private:
  SimDisk& disk_;
  const std::shared_ptr<SimMapping> mapping_;
};

class SimLock final : public FileLock {
 public:
  SimLock(SimDisk& disk, SimNodeRef node, std::uint64_t process)
      : disk_(disk), node_(std::move(node)), process_(process) {}
  ~SimLock() override {
    MutexLock held(disk_.mutex);
    if (process_ == disk_.process) disk_.locked.erase(node_);
  }

 private:
  SimDisk& disk_;
  const SimNodeRef node_;
  const std::uint64_t process_;
};

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::string path, SimNodeRef node, bool writable,
          std::uint64_t process)
      : disk_(disk),
        path_(std::move(path)),
        node_(std::move(node)),
        writable_(writable),
        process_(process) {}

  Result<std::size_t> read_at(std::uint64_t offset,
                              std::span<char> to) const override {
    MutexLock held(disk_.mutex);
    LSM_TRY(check());
    disk_.write_back(*node_);
    const std::size_t count = node_->live.read(offset, to);
    disk_.counters.reads++;
    disk_.counters.bytes_read += count;
    return count;
  }

  Result<void> append(std::string_view bytes) override {
    const auto make = [&](SimContent& content) LSM_REQUIRES(disk_.mutex) {
      content.write(content.size(), bytes);
      disk_.counters.bytes_written += bytes.size();
    };
    return change("append", bytes.size(), make);
  }

  Result<void> sync() override {
    const auto make = [&](SimContent& content) LSM_REQUIRES(disk_.mutex) {
      disk_.write_back(*node_);
      node_->durable.become(content);
      disk_.counters.syncs++;
    };
    return change("sync", 0, make);
  }

  Result<void> allocate(std::uint64_t size_bytes) override {
    return change("allocate", size_bytes, [&](SimContent& content) {
      if (size_bytes > content.size()) content.resize(size_bytes);
    });
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    const auto make = [&](SimContent& content) LSM_REQUIRES(disk_.mutex) {
      disk_.write_back(*node_);
      content.resize(size_bytes);
    };
    return change("truncate", size_bytes, make);
  }

  Result<std::uint64_t> size() const override {
    MutexLock held(disk_.mutex);
    LSM_TRY(check());
    return node_->live.size();
  }

  Result<std::unique_ptr<Window>> map(std::uint64_t offset,
                                      std::size_t size_bytes) override {
    MutexLock held(disk_.mutex);
    LSM_TRY(check_writable());
    const std::uint64_t end = node_->live.size();
    if (offset % kWindowAlignment != 0 || offset > end ||
        size_bytes > end - offset) {
      return fail(Code::invalid_argument,
                  path_ + ": cannot map " + std::to_string(size_bytes) +
                      " bytes at " + std::to_string(offset) + " of " +
                      std::to_string(end));
    }
    auto mapping = std::make_shared<SimMapping>(
        SimMapping{node_, offset, std::vector<char>(size_bytes)});
    disk_.write_back(*node_);
    node_->live.read(offset, mapping->bytes);
    disk_.mappings.push_back(mapping);
    return std::make_unique<SimWindow>(disk_, std::move(mapping));
  }

  Result<void> close() override {
    if (std::exchange(closed_, true)) return {};
    MutexLock held(disk_.mutex);
    if (process_ != disk_.process) return dead();
    return disk_.check_power();
  }

 private:
  std::unexpected<Error> dead() const {
    return refuse(path_, "this handle died with its process");
  }

  Result<void> check() const LSM_REQUIRES(disk_.mutex) {
    if (closed_) return refuse(path_, "the file is closed");
    if (process_ != disk_.process) return dead();
    return disk_.check_power();
  }

  Result<void> check_writable() const LSM_REQUIRES(disk_.mutex) {
    LSM_TRY(check());
    if (!writable_) return refuse(path_, "not open for writing");
    return {};
  }

  template <class Change>
  Result<void> change(std::string_view what, std::uint64_t bytes, Change make) {
    {
      MutexLock held(disk_.mutex);
      LSM_TRY(check_writable());
    }
    LSM_TRY(
        disk_.begin_operation({.what = what, .path = path_, .bytes = bytes}));
    MutexLock held(disk_.mutex);
    make(node_->live);
    return {};
  }

  SimDisk& disk_;
  const std::string path_;
  const SimNodeRef node_;
  const bool writable_;
  const std::uint64_t process_;
  bool closed_ = false;
};

}  // namespace

SimFileSystem::SimFileSystem() : SimFileSystem(std::make_unique<SimDisk>()) {}
SimFileSystem::SimFileSystem(std::unique_ptr<SimDisk> disk)
    : disk_(std::move(disk)) {}
SimFileSystem::~SimFileSystem() = default;

std::uint64_t SimFileSystem::operations() const {
  MutexLock held(disk_->mutex);
  return disk_->operations;
}

void SimFileSystem::cut_power_at(std::uint64_t number) {
  MutexLock held(disk_->mutex);
  disk_->cut_at = number;
}

void SimFileSystem::before_each_operation(
    std::function<void(const SimOperation&)> hook) {
  disk_->hook = std::move(hook);
}

void SimFileSystem::power_cycle(CrashModel model, std::uint64_t seed) {
  MutexLock held(disk_->mutex);
  disk_->power_cycle(model, seed);
}

void SimFileSystem::kill() {
  MutexLock held(disk_->mutex);
  disk_->end_process();
}

std::unique_ptr<SimFileSystem> SimFileSystem::clone() {
  MutexLock held(disk_->mutex);
  return std::unique_ptr<SimFileSystem>(new SimFileSystem(disk_->clone()));
}

Result<void> SimFileSystem::flip_bit(const std::string& path,
                                     std::uint64_t bit) {
  MutexLock held(disk_->mutex);
  const SimNodeRef node = disk_->find(path).node;
  if (!node) return missing(path);
  for (SimContent* content : {&node->live, &node->durable}) {
    char byte = 0;
    if (content->read(bit / 8, {&byte, 1}) == 0) continue;
    byte = static_cast<char>(byte ^ (1 << (bit % 8)));
    content->write(bit / 8, {&byte, 1});
  }
  return {};
}

Result<void> SimFileSystem::truncate_to(const std::string& path,
                                        std::uint64_t size_bytes) {
  MutexLock held(disk_->mutex);
  const SimNodeRef node = disk_->find(path).node;
  if (!node) return missing(path);
  node->live.resize(size_bytes);
  node->durable.resize(size_bytes);
  return {};
}

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path,
                                                  Mode mode) {
  if (mode == Mode::create) {
    LSM_TRY(disk_->begin_operation({.what = "create", .path = path}));
  }
  MutexLock held(disk_->mutex);
  LSM_TRY(disk_->check_power());
  auto [folder, name, node] = disk_->find(path);
  if (mode == Mode::create) {
    if (node) return refuse(path, "exists already");
    if (!folder) return missing(path);
    node = std::make_shared<SimNode>();
    disk_->change_names({{folder, name, node}});
  }
  if (!node) return missing(path);
  if (node->folder) return refuse(path, "is a folder");
  return std::make_unique<SimFile>(*disk_, path, node, mode != Mode::read,
                                   disk_->process);
}

Result<void> SimFileSystem::rename(const std::string& from,
                                   const std::string& to) {
  LSM_TRY(disk_->begin_operation({.what = "rename", .path = from, .to = to}));
  MutexLock held(disk_->mutex);
  const SimPlace source = disk_->find(from);
  const SimPlace target = disk_->find(to);
  if (!source.node) return missing(from);
  if (!target.folder) return missing(to);
  if (target.node == source.node) return {};  // as rename(2) has it
  if (target.node && target.node->folder) return refuse(to, "is a folder");
  if (!source.folder) return refuse(from, "is the root");
  disk_->change_names({{source.folder, source.name, nullptr},
                       {target.folder, target.name, source.node}});
  return {};
}

Result<void> SimFileSystem::link(const std::string& from,
                                 const std::string& to) {
  LSM_TRY(disk_->begin_operation({.what = "link", .path = from, .to = to}));
  MutexLock held(disk_->mutex);
  const SimNodeRef source = disk_->find(from).node;
  const SimPlace target = disk_->find(to);
  if (!source) return missing(from);
  if (source->folder) return refuse(from, "is a folder");
  if (target.node) return refuse(to, "exists already");
  if (!target.folder) return missing(to);
  disk_->change_names({{target.folder, target.name, source}});
  return {};
}

Result<void> SimFileSystem::remove(const std::string& path) {
  LSM_TRY(disk_->begin_operation({.what = "remove", .path = path}));
  MutexLock held(disk_->mutex);
  const SimPlace place = disk_->find(path);
  if (!place.node) return missing(path);
  if (!place.folder) return refuse(path, "is the root");
  if (!place.node->live_names.empty()) return refuse(path, "is not empty");
  disk_->change_names({{place.folder, place.name, nullptr}});
  return {};
}

Result<void> SimFileSystem::create_dir(const std::string& path) {
  LSM_TRY(disk_->begin_operation({.what = "create_dir", .path = path}));
  MutexLock held(disk_->mutex);
  const SimPlace place = disk_->find(path);
  if (place.node) {
    if (place.node->folder) return {};
    return refuse(path, "is a file");
  }
  if (!place.folder) return missing(path);
  disk_->change_names({{place.folder, place.name,
                        std::make_shared<SimNode>(SimNode{.folder = true})}});
  return {};
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& path) {
  MutexLock held(disk_->mutex);
  LSM_TRY(disk_->check_power());
  const SimNodeRef node = disk_->find(path).node;
  if (!node) return missing(path);
  if (!node->folder) return refuse(path, "is a file");
  std::vector<std::string> names;
  for (const auto& [name, child] : node->live_names)
    names.push_back(name);
  return names;
}

Result<bool> SimFileSystem::exists(const std::string& path) {
  MutexLock held(disk_->mutex);
  LSM_TRY(disk_->check_power());
  return disk_->find(path).node != nullptr;
}

Result<void> SimFileSystem::sync_dir(const std::string& path) {
  LSM_TRY(disk_->begin_operation({.what = "sync_dir", .path = path}));
  MutexLock held(disk_->mutex);
  const SimNodeRef node = disk_->find(path).node;
  if (!node) return missing(path);
  if (!node->folder) return refuse(path, "is a file");
  disk_->settle(node);
  disk_->counters.syncs++;
  return {};
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock(const std::string& path) {
  LSM_TRY(disk_->begin_operation({.what = "lock", .path = path}));
  MutexLock held(disk_->mutex);
  auto [folder, name, node] = disk_->find(path);
  if (!node) {
    if (!folder) return missing(path);
    node = std::make_shared<SimNode>();
    disk_->change_names({{folder, name, node}});
  }
  if (node->folder) return refuse(path, "is a folder");
  if (!disk_->locked.insert(node).second) {
    return fail(Code::busy, path + ": locked by this process or another");
  }
  return std::make_unique<SimLock>(*disk_, node, disk_->process);
}

IoCounters SimFileSystem::counters() const {
  MutexLock held(disk_->mutex);
  return disk_->counters;
}

void SimFileSystem::count_mapped(std::uint64_t bytes) {
  MutexLock held(disk_->mutex);
  disk_->counters.bytes_written += bytes;
}

}  // namespace lsm
