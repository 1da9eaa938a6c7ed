#include "table.h"

#include "frame.h"
#include "base/todo.h"

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
  // Task 5: Table::read_block
  LSM_TODO("1.3 task 5", "Table::read_block");
}

Result<Lookup> Table::get(std::string_view user, std::uint64_t hash,
                          Sequence at, std::string& value) const {
  // Task 5: Table::get
  LSM_TODO("1.3 task 5", "Table::get");
}

}  // namespace lsm
