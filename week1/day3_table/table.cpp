#include "table.h"

#include <cstring>
#include <memory>

#include "read_ahead.h"
#include "table_iterator.h"
#include "base/todo.h"

namespace lsm {

namespace {

constexpr std::size_t kCacheLineBytes = 64;

}  // namespace

Table::Table(std::unique_ptr<File> file, std::string path, TableContext context)
    : file_(std::move(file)),
      path_(std::move(path)),
      context_(context),
      cache_id_(context.cache->new_table_id()) {}

Table::~Table() {
  context_.cache->uncharge(charged_bytes_);
}

Result<std::shared_ptr<const Table>> Table::open(FileSystem& fs,
                                                 const std::string& path,
                                                 FileIdentity file,
                                                 TableContext context) {
  LSM_ASSIGN_OR_RETURN(auto opened, fs.open(path, FileSystem::Mode::read));
  std::shared_ptr<Table> table(new Table(std::move(opened), path, context));
  LSM_TRY(table->load(file));
  table->charged_bytes_ =
      table->index_.memory_bytes() + table->filter_bytes_.capacity();
  context.cache->charge(table->charged_bytes_);
  return table;
}

Result<void> Table::load(FileIdentity expected) {
  LSM_ASSIGN_OR_RETURN(const std::uint64_t size, file_->size());
  if (size < kFooterBytes) {
    return fail_at({path_, expected, 0},
                   std::to_string(size) + " bytes are too few for a table");
  }
  char last[kFooterBytes];
  const FilePlace footer_place{path_, expected, size - kFooterBytes};
  LSM_TRY(read_exactly(*file_, footer_place, last));
  LSM_ASSIGN_OR_RETURN(footer_,
                       decode_footer({last, kFooterBytes}, footer_place));
  const FileIdentity found = footer_.file;
  if (found.store_id != expected.store_id || found.number != expected.number) {
    return fail_at(footer_place,
                   "is table " + std::to_string(found.number) + " of store " +
                       std::to_string(found.store_id) + ", expected table " +
                       std::to_string(expected.number) + " of store " +
                       std::to_string(expected.store_id));
  }

  // Filter, index and properties stand side by side: one read.
  std::string frames(footer_.footer_offset() - footer_.filter_offset(), '\0');
  LSM_TRY(read(footer_.filter_offset(), frames));
  std::string_view rest = frames;
  const auto part = [&](std::uint64_t offset, std::uint64_t bytes,
                        BlockBytes& unpacked) {
    const std::string_view frame = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return open_frame(frame, place(offset), unpacked);
  };
  BlockBytes memory[3];
  LSM_ASSIGN_OR_RETURN(
      const std::string_view filter,
      part(footer_.filter_offset(), footer_.filter_bytes, memory[0]));
  LSM_ASSIGN_OR_RETURN(
      const std::string_view index,
      part(footer_.index_offset(), footer_.index_bytes, memory[1]));
  const FilePlace properties_place = place(footer_.properties_offset());
  LSM_ASSIGN_OR_RETURN(
      const std::string_view properties,
      part(properties_place.offset, footer_.properties_bytes, memory[2]));

  LSM_ASSIGN_OR_RETURN(properties_,
                       decode_properties(properties, properties_place));
  auto parsed = BlockIndex::parse(index, footer_.data_bytes);
  if (!parsed) {
    return fail_at(place(footer_.index_offset()), parsed.error().message);
  }
  index_ = std::move(*parsed);
  if (properties_.filter_policy == context_.filter->name()) {
    std::size_t room = filter.size() + kCacheLineBytes;
    filter_bytes_.resize(room);
    void* aligned = filter_bytes_.data();
    std::align(kCacheLineBytes, filter.size(), aligned, room);
    std::memcpy(aligned, filter.data(), filter.size());
    filter_ = {static_cast<char*>(aligned), filter.size()};
  }
  return {};
}

Result<void> Table::read(std::uint64_t offset, std::span<char> to) const {
  return read_exactly(*file_, place(offset), to);
}

Result<std::string_view> Table::check_block(std::string_view frame,
                                            std::uint64_t offset,
                                            BlockBytes& unpacked) const {
  LSM_ASSIGN_OR_RETURN(const std::string_view bytes,
                       open_frame(frame, place(offset), unpacked));
  if (auto block = Block::parse(bytes); !block) {
    return fail_at(place(offset), block.error().message);
  }
  return bytes;
}

Result<BlockPin> Table::read_block(std::size_t block, bool scan,
                                   ReadAhead* ahead) const {
  // Task 5: Table::read_block
  LSM_TODO("1.3 task 5", "Table::read_block");
}

Result<Lookup> Table::get(std::string_view user, std::uint64_t hash,
                          Sequence at, std::string& value) const {
  // Task 5: Table::get
  LSM_TODO("1.3 task 5", "Table::get");
}

std::unique_ptr<InternalIterator> Table::iterator(Access access) const {
  return std::make_unique<TableIterator>(*this, access);
}

Result<void> Table::verify() const {
  for (const auto& [offset, bytes] :
       {std::pair(footer_.filter_offset(), footer_.filter_bytes),
        std::pair(footer_.index_offset(), footer_.index_bytes),
        std::pair(footer_.properties_offset(), footer_.properties_bytes)}) {
    std::string frame(bytes, '\0');
    BlockBytes unpacked;
    LSM_TRY(read(offset, frame));
    LSM_TRY(open_frame(frame, place(offset), unpacked));
  }
  std::string last(kFooterBytes, '\0');
  LSM_TRY(read(footer_.footer_offset(), last));
  if (last != encode_footer(footer_)) {
    return fail_at(place(footer_.footer_offset()), "the footer has changed");
  }
  return verify_entries();
}

Result<void> Table::verify_entries() const {
  TableProperties seen;
  ReadAhead ahead(*this, ReadAhead::kMaxBytes);
  BlockIterator entry;
  for (std::size_t block = 0; block < index_.size(); block++) {
    const BlockIndex::Handle handle = index_.handle(block);
    BlockBytes unpacked;
    LSM_ASSIGN_OR_RETURN(const std::string_view frame,
                         ahead.view(handle.offset, handle.size_bytes));
    LSM_ASSIGN_OR_RETURN(const std::string_view bytes,
                         check_block(frame, handle.offset, unpacked));
    const Block view = Block::trusted(bytes);
    entry.reset(view);
    for (entry.seek_to_first(); entry.valid(); entry.next()) {
      const InternalKey key = entry.key();
      const std::uint64_t hash = filter_hash(key.user);
      std::string_view value;
      // Within a block order was parsed; that each key belongs to its block
      // makes it hold across blocks.
      if (index_.find(key) != block) {
        return fail_at(place(handle.offset),
                       "the index misses the key \"" + escape(key.user) + "\"");
      }
      if (view.get(key.user, hash, key.sequence(), value) == Lookup::absent) {
        return fail_at(place(handle.offset),
                       "the fingerprint is not that of the key \"" +
                           escape(key.user) + "\"");
      }
      if (filter_.data() != nullptr &&
          !context_.filter->may_contain(filter_, hash)) {
        return fail_at(
            place(footer_.filter_offset()),
            "the filter denies the key \"" + escape(key.user) + "\"");
      }
      seen.note(key);
    }
  }
  seen.filter_policy = properties_.filter_policy;
  if (seen != properties_) {
    return fail_at(place(footer_.properties_offset()),
                   "the properties are not those of the entries");
  }
  return {};
}

}  // namespace lsm
