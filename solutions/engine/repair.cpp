#include "engine/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/file_names.h"
#include "base/tree_shape.h"
#include "batch.h"
#include "engine/compose.h"
#include "log_format.h"
#include "log_reader.h"
#include "manifest.h"
#include "memtable.h"
#include "table.h"
#include "table_builder.h"

namespace lsm {
namespace {

// Entries in key order, from one table or log; only forward.
class Source {
 public:
  virtual ~Source() = default;
  virtual bool valid() const = 0;
  virtual InternalKey key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
};

using OpenTable =
    std::function<Result<std::shared_ptr<const Table>>(std::uint64_t number)>;

// The blocks that verify of tables that do not overlap; the others go into the
// report. One table is open at a time.
class TablesSource final : public Source {
 public:
  TablesSource(std::vector<std::uint64_t> ascending, OpenTable open,
               RepairReport& report)
      : tables_(std::move(ascending)), open_(std::move(open)), report_(report) {
    next_block();
  }

  bool valid() const override { return entry_.valid(); }
  InternalKey key() const override { return entry_.key(); }
  std::string_view value() const override { return entry_.value(); }
  void next() override {
    entry_.next();
    if (!entry_.valid()) next_block();
  }

 private:
  void next_block() {
    while (!entry_.valid()) {
      if (!table_ || block_ == table_->index().size()) {
        if (opened_ == tables_.size()) return;
        auto table = open_(tables_[opened_++]);
        if (!table) {
          report_.lost.push_back(table.error().message);
          continue;
        }
        table_ = std::move(*table);
        block_ = 0;
      }
      auto pin = table_->read_block(block_++, table_->cache(), true);
      if (!pin) {
        report_.lost.push_back(pin.error().message);
        continue;
      }
      ++report_.blocks;
      pin_ = std::move(*pin);
      entry_.reset(Block::trusted(pin_.bytes()));
      entry_.seek_to_first();
    }
  }

  const std::vector<std::uint64_t> tables_;
  const OpenTable open_;
  RepairReport& report_;
  std::size_t opened_ = 0;  // of tables_
  std::shared_ptr<const Table> table_;
  std::size_t block_ = 0;  // the next one of table_
  BlockPin pin_;
  BlockIterator entry_;
};

class LogSource final : public Source {
 public:
  explicit LogSource(std::unique_ptr<MemTable> memtable)
      : memtable_(std::move(memtable)), entry_(memtable_->iterator()) {
    entry_->seek_to_first();
  }
  bool valid() const override { return entry_->valid(); }
  InternalKey key() const override { return entry_->key(); }
  std::string_view value() const override { return entry_->value(); }
  void next() override { entry_->next(); }

 private:
  const std::unique_ptr<MemTable> memtable_;
  const std::unique_ptr<InternalIterator> entry_;
};

class Repairer {
 public:
  Repairer(FileSystem& fs, std::string from, std::string into, Options options)
      : fs_(fs),
        from_(std::move(from)),
        into_(std::move(into)),
        options_(std::move(options)) {}

  Result<RepairReport> run();

 private:
  Result<void> find_files();
  Result<void> make_folder();
  // Which files count: chosen_tables_, chosen_logs_, store_id_.
  void choose();
  void choose_named(const ManifestState& state);
  void choose_all();
  Result<std::shared_ptr<const Table>> open_table(std::uint64_t number) const;
  void add_tables();
  void add_log(std::uint64_t number);
  // Takes the batches of the log's bytes into the memtable.
  void take_records(const std::string& path, std::string_view bytes,
                    FileIdentity file, MemTable& memtable);
  Result<void> write_tables();
  Result<void> cut_table();

  std::string path_of(FileKind kind, std::uint64_t number) const {
    return file_path(from_, kind, number);
  }
  void lose(const std::string& path, std::uint64_t offset,
            std::string_view why) {
    report_.lost.push_back(fmt::format("{}: offset {}: {}", path, offset, why));
  }
  void lose(const Error& error) { report_.lost.push_back(error.message); }

  FileSystem& fs_;
  const std::string from_;
  const std::string into_;
  const Options options_;
  const std::shared_ptr<BlockCache> cache_ = make_no_cache();
  std::unique_ptr<FileLock> lock_;
  std::map<FileKind, std::set<std::uint64_t>> found_;
  bool has_current_ = false;

  std::uint64_t store_id_ = 0;
  std::set<std::uint64_t> chosen_tables_;
  std::set<std::uint64_t> chosen_logs_;
  std::vector<std::unique_ptr<Source>> sources_;

  FileNumbers numbers_;
  ManifestState state_;  // of the new store
  std::unique_ptr<TableBuilder> builder_;
  RepairReport report_;
};

Result<void> Repairer::find_files() {
  LSM_ASSIGN_OR_RETURN(const auto names, fs_.list(from_));
  for (const std::string& name : names) {
    if (name == kCurrentName) has_current_ = true;
    const auto file = parse_file_name(name);
    if (file) found_[file->kind].insert(file->number);
    if (name != kLockName) continue;
    auto lock = fs_.lock(join_path(from_, kLockName));
    if (lock) {
      lock_ = std::move(*lock);
    } else if (lock.error().code == Code::busy) {
      return std::unexpected(lock.error());
    }  // else it may only be read, and so nobody has it open for writing
  }
  if (found_.empty() && !has_current_) {
    return fail(Code::not_found, from_ + ": there is no store here");
  }
  return {};
}

Result<void> Repairer::make_folder() {
  LSM_TRY(fs_.create_dir(into_));
  LSM_TRY(fs_.sync_dir(parent_path(into_)));
  LSM_ASSIGN_OR_RETURN(const auto names, fs_.list(into_));
  if (names.empty()) return {};
  return fail(Code::invalid_argument,
              into_ + ": repair needs a new or an empty folder, but " +
                  names.front() + " is there");
}

void Repairer::choose() {
  auto state = read_manifest(fs_, from_);
  if (state && *state) return choose_named(**state);
  const std::string current = join_path(from_, kCurrentName);
  if (state) lose(current, 0, "it is missing");
  if (!state) lose(state.error());
  // A CURRENT that verifies has named the only manifest that counts.
  const auto pointer = read_current(fs_, from_);
  const bool may_guess = !pointer || !*pointer;
  if (may_guess && !found_[FileKind::manifest].empty()) {
    const std::uint64_t youngest = *found_[FileKind::manifest].rbegin();
    const std::string path = path_of(FileKind::manifest, youngest);
    const auto file = log_identity(fs_, path);
    if (file && *file && (*file)->number == youngest) {
      const auto named = read_manifest_file(fs_, path, **file);
      if (named) {
        report_.notes.push_back("the files are those of " + path +
                                ", the youngest manifest");
        return choose_named(*named);
      }
      lose(named.error());
    }
  }
  report_.notes.push_back(
      "without a manifest every table and log of the store is taken: what a "
      "compaction had removed may be back");
  choose_all();
}

void Repairer::choose_named(const ManifestState& state) {
  store_id_ = state.store_id;
  state_.last_sequence = state.last_sequence;
  for (const VersionEdit::Added& added : state.files) {
    chosen_tables_.insert(added.file.number);
  }
  for (const std::uint64_t number : found_[FileKind::table]) {
    if (chosen_tables_.contains(number)) continue;
    report_.notes.push_back(path_of(FileKind::table, number) +
                            ": not part of the store");
  }
  for (const std::uint64_t number : found_[FileKind::log]) {
    if (number >= state.oldest_log) chosen_logs_.insert(number);
  }
}

void Repairer::choose_all() {
  std::map<std::uint64_t, std::size_t> votes;  // by store id
  const auto identity_of = [&](const std::string& path,
                               FileKind kind) -> std::optional<FileIdentity> {
    if (kind == FileKind::log) {
      return log_identity(fs_, path).value_or(std::nullopt);
    }
    const auto file = fs_.open(path, FileSystem::Mode::read);
    if (!file) return std::nullopt;
    const auto footer = read_footer(**file, path);
    if (!footer) return std::nullopt;
    return footer->file;
  };
  for (const FileKind kind : {FileKind::table, FileKind::log}) {
    for (const std::uint64_t number : found_[kind]) {
      const std::string path = path_of(kind, number);
      const auto file = identity_of(path, kind);
      if (file) ++votes[file->store_id];
    }
  }
  const auto most = std::ranges::max_element(
      votes, {}, [](const auto& vote) { return vote.second; });
  if (most != votes.end()) store_id_ = most->first;
  for (const std::uint64_t number : found_[FileKind::table]) {
    chosen_tables_.insert(number);
  }
  for (const std::uint64_t number : found_[FileKind::log]) {
    chosen_logs_.insert(number);
  }
}

Result<std::shared_ptr<const Table>> Repairer::open_table(
    std::uint64_t number) const {
  return Table::open(fs_, path_of(FileKind::table, number), {store_id_, number},
                     {options_.filter_policy.get(), cache_.get()});
}

// Tables that do not overlap are read one after the other: of thousands, as
// many are open at a time as overlap somewhere.
void Repairer::add_tables() {
  struct Bounds {
    InternalKeyBuffer smallest;
    InternalKeyBuffer largest;
    std::uint64_t number;
  };
  std::vector<Bounds> tables;
  for (const std::uint64_t number : chosen_tables_) {
    const auto table = open_table(number);
    if (!table) {
      lose(table.error());
      continue;
    }
    const FileMeta& meta = (*table)->properties().meta;
    tables.push_back({meta.smallest, meta.largest, number});
  }
  report_.tables = tables.size();
  std::ranges::sort(tables, [](const Bounds& left, const Bounds& right) {
    return compare(left.smallest.view(), right.smallest.view()) < 0;
  });
  struct Chain {
    InternalKeyBuffer largest;
    std::vector<std::uint64_t> numbers;
  };
  std::vector<Chain> chains;
  for (const Bounds& table : tables) {
    auto chain = std::ranges::find_if(chains, [&](const Chain& before) {
      return compare(before.largest.view(), table.smallest.view()) < 0;
    });
    if (chain == chains.end()) chain = chains.emplace(chain);
    chain->largest = table.largest;
    chain->numbers.push_back(table.number);
  }
  for (Chain& chain : chains) {
    sources_.push_back(std::make_unique<TablesSource>(
        std::move(chain.numbers),
        [this](std::uint64_t number) { return open_table(number); }, report_));
  }
}

void Repairer::add_log(std::uint64_t number) {
  const std::string path = path_of(FileKind::log, number);
  const auto bytes = read_file(fs_, path);
  if (!bytes) return lose(bytes.error());
  auto memtable = std::make_unique<MemTable>(number, bytes->size());
  take_records(path, *bytes, {store_id_, number}, *memtable);
  if (memtable->entries() == 0) return;
  ++report_.logs;
  sources_.push_back(std::make_unique<LogSource>(std::move(memtable)));
}

void Repairer::take_records(const std::string& path, std::string_view bytes,
                            FileIdentity file, MemTable& memtable) {
  const std::size_t used = bytes.find_last_not_of('\0') + 1;  // npos + 1 is 0
  // Where a record is that verifies whole: what it holds, and its end.
  struct Record {
    RecordType type;
    std::string_view payload;
  };
  const auto record_at = [&](std::size_t at) -> std::optional<Record> {
    const std::string_view rest = bytes.substr(at);
    if (rest.size() < kRecordHeaderSizeBytes) return std::nullopt;
    const std::string_view covered = rest.substr(4, kRecordHeaderSizeBytes - 4);
    if (load_u32(rest.data()) != checksum32(covered, file, at)) {
      return std::nullopt;
    }
    const std::uint64_t type_length = load_u64(rest.data() + 8);
    const std::uint64_t length = type_length >> 8;
    const std::size_t begin = at + kRecordHeaderSizeBytes;
    if (length > bytes.size() - begin) return std::nullopt;
    const auto payload = bytes.substr(begin, static_cast<std::size_t>(length));
    if (load_u32(rest.data() + 4) != checksum32(payload, file, begin)) {
      return std::nullopt;
    }
    return Record{static_cast<RecordType>(type_length & 0xff), payload};
  };

  std::size_t at = std::min(kLogHeaderSizeBytes, bytes.size());
  std::size_t damaged_from = 0;  // 0: all is well
  const auto report_damage = [&] {
    if (damaged_from == 0) return;
    lose(path, damaged_from,
         fmt::format("{} bytes hold no record", at - damaged_from));
    damaged_from = 0;
  };
  if (const auto header = decode_log_header(bytes.substr(0, at), path);
      !header || !*header) {
    lose(path, 0, "the header does not verify");
  }
  while (at < used) {
    const auto record = record_at(at);
    if (!record) {
      if (damaged_from == 0) damaged_from = at;
      ++at;
      continue;
    }
    report_damage();
    const std::size_t begin = at;
    at += kRecordHeaderSizeBytes + record->payload.size();
    if (record->type != RecordType::data) continue;
    const auto batch = decode_batch(record->payload);
    if (!batch) {
      lose(path, begin, batch.error().message);
      continue;
    }
    ++report_.batches;
    Sequence sequence = batch->first;
    for (const WriteOp& op : batch->ops) {
      memtable.add(sequence++, op.kind, op.key, op.value);
    }
  }
  report_damage();
}

Result<void> Repairer::cut_table() {
  if (builder_ == nullptr) return {};
  LSM_ASSIGN_OR_RETURN(FileMeta file, builder_->finish());
  builder_.reset();
  state_.last_sequence = std::max(state_.last_sequence, file.newest_sequence);
  state_.files.push_back({kMaxLevels - 1, std::move(file)});
  ++report_.new_tables;
  return {};
}

Result<void> Repairer::write_tables() {
  const auto later = [](const Source* left, const Source* right) {
    return compare(left->key(), right->key()) > 0;
  };
  std::priority_queue<Source*, std::vector<Source*>, decltype(later)> queue(
      later);
  for (const auto& source : sources_) {
    if (source->valid()) queue.push(source.get());
  }
  InternalKeyBuffer last;  // written
  bool first = true;
  while (!queue.empty()) {
    Source* const source = queue.top();
    queue.pop();
    const InternalKey key = source->key();
    // A flushed log, or the input of a compaction, may bring an entry twice.
    if (first || compare(last.view(), key) != 0) {
      const bool new_user = first || last.user() != key.user;
      if (builder_ && new_user &&
          builder_->size_bytes() >= options_.target_file_size_bytes) {
        LSM_TRY(cut_table());  // never between versions of one user key
      }
      if (!builder_) {
        const std::uint64_t number = numbers_.take();
        LSM_ASSIGN_OR_RETURN(
            builder_, TableBuilder::create(
                          fs_, file_path(into_, FileKind::table, number),
                          {state_.store_id, number},
                          {options_.block_size_bytes, options_.compression,
                           options_.filter_policy.get()}));
      }
      LSM_TRY(builder_->add(key, source->value()));
      ++report_.entries;
      last.assign(key);
      first = false;
    }
    source->next();
    if (source->valid()) queue.push(source);
  }
  return cut_table();
}

Result<RepairReport> Repairer::run() {
  LSM_TRY(find_files());
  LSM_TRY(make_folder());
  choose();
  add_tables();
  for (const std::uint64_t number : chosen_logs_)
    add_log(number);

  std::random_device device;
  state_.store_id = std::uint64_t{device()} << 32 | device();
  LSM_TRY(write_tables());
  LSM_TRY(fs_.sync_dir(into_));
  state_.oldest_log = numbers_.next();
  state_.next_file_number = numbers_.next();
  LSM_ASSIGN_OR_RETURN(const auto manifest,
                       Manifest::create(fs_, into_, numbers_, state_));  // I4
  LSM_TRY(manifest->close());
  return std::move(report_);
}

}  // namespace

Result<RepairReport> repair_store(FileSystem& fs, const std::string& from,
                                  const std::string& into, Options options) {
  LSM_ASSIGN_OR_RETURN(Options composed, compose(std::move(options)));
  return Repairer(fs, from, into, std::move(composed)).run();
}

}  // namespace lsm
