#include "table.h"

#include "frame.h"

namespace lsm {

Table::Table(TableFile file, TableContext context)
    : file_(std::move(file)),
      context_(context),
      cache_id_(context.cache->new_table_id()) {}

Table::~Table() {
  context_.cache->uncharge(charged_bytes_);
}

Result<std::shared_ptr<const Table>> Table::open(FileSystem& fs,
                                                 const std::string& path,
                                                 FileIdentity file,
                                                 TableContext context) {
  LSM_ASSIGN_OR_RETURN(TableFile opened, TableFile::open(fs, path, file));
  std::shared_ptr<Table> table(new Table(std::move(opened), context));
  LSM_TRY(table->load());
  return table;
}

Result<void> Table::load() {
  // Filter, index and properties stand side by side: one read.
  const Footer& footer = file_.footer();
  std::string parts(footer.footer_at - footer.filter_at, '\0');
  LSM_TRY(file_.read(footer.filter_at, parts));
  BlockBytes unpacked;
  const auto part = [&](std::uint64_t begin, std::uint64_t end) {
    return open_frame(
        std::string_view(parts).substr(begin - footer.filter_at, end - begin),
        file_.place(begin), unpacked);
  };
  LSM_ASSIGN_OR_RETURN(const std::string_view properties,
                       part(footer.properties_at, footer.footer_at));
  LSM_ASSIGN_OR_RETURN(
      properties_,
      decode_properties(properties, file_.place(footer.properties_at)));
  LSM_ASSIGN_OR_RETURN(const std::string_view index,
                       part(footer.index_at, footer.properties_at));
  LSM_ASSIGN_OR_RETURN(index_, BlockIndex::parse(index, footer.filter_at,
                                                 file_.place(footer.index_at)));
  LSM_ASSIGN_OR_RETURN(const std::string_view filter,
                       part(footer.filter_at, footer.index_at));
  filter_ = TableFilter(*context_.filter, properties_.filter_policy, filter);
  charged_bytes_ = index_.memory_bytes() + filter_.memory_bytes();
  context_.cache->charge(charged_bytes_);
  return {};
}

Result<BlockPin> Table::read_block(std::size_t block, BlockCache& cache,
                                   bool scan, ReadAhead* ahead) const {
  // ANCHOR: task-1-3-5 Table::read_block
  const BlockIndex::Handle handle = index_.handle(block);
  const BlockKey key{cache_id_, handle.offset};
  if (BlockPin pin = cache.lookup(key)) return pin;

  BlockBytes frame{std::make_unique_for_overwrite<char[]>(handle.size_bytes),
                   handle.size_bytes};
  const std::span<char> to(frame.data.get(), frame.size_bytes);
  LSM_TRY(ahead == nullptr ? file_.read(handle.offset, to)
                           : ahead->read(handle.offset, to));
  const FilePlace place = file_.place(handle.offset);
  BlockBytes unpacked;
  LSM_ASSIGN_OR_RETURN(const std::string_view bytes,
                       open_frame(frame.view(), place, unpacked));
  if (auto parsed = Block::parse(bytes); !parsed) {
    return fail_at(place, parsed.error().message);
  }
  if (unpacked.data == nullptr) {
    frame.size_bytes = bytes.size();  // stored plain: the frame's front is it
    unpacked = std::move(frame);
  }
  return cache.insert(key, std::move(unpacked), scan);
  // ANCHOR_END: task-1-3-5
}

Result<Lookup> Table::get(std::string_view user, std::uint64_t hash,
                          Sequence at, std::string& value) const {
  // ANCHOR: task-1-3-5 Table::get
  if (!filter_.may_contain(hash)) return Lookup::absent;
  const std::size_t block = find_block(index_, seek_key(user, at));
  if (block == index_.size()) return Lookup::absent;
  LSM_ASSIGN_OR_RETURN(const BlockPin pin,
                       read_block(block, *context_.cache, false));
  std::string_view found;
  const Lookup answer = Block::trusted(pin.bytes()).get(user, at, found);
  if (answer == Lookup::value) value.assign(found);
  return answer;
  // ANCHOR_END: task-1-3-5
}

}  // namespace lsm
