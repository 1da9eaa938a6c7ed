#include "engine/verify_table.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "separators.h"
#include "table.h"

namespace lsm {

Result<void> verify_table(FileSystem& fs, const std::string& path,
                          FileIdentity file, const FilterPolicy& filter) {
  const auto cache = make_no_cache();
  LSM_ASSIGN_OR_RETURN(const auto table,
                       Table::open(fs, path, file, {&filter, cache.get()}));
  const BlockIndex& index = table->index();
  ReadAhead ahead = table->file().read_ahead(ReadAhead::kMaxBytes);
  FileMeta seen;
  for (std::size_t i = 0; i < index.size(); i++) {
    LSM_ASSIGN_OR_RETURN(const BlockPin pin,
                         table->read_block(i, *cache, true, &ahead));
    BlockIterator entry(Block::trusted(pin.bytes()));
    for (entry.seek_to_first(); entry.valid(); entry.next()) {
      const InternalKey key = entry.key();
      // Within a block order was parsed; that each key belongs to its block
      // makes it hold across blocks.
      if (find_block(index, key) != i ||
          !table->filter().may_contain(filter_hash(key.user))) {
        return fail_at(path, index.handle(i).offset,
                       fmt::format("index or filter denies the key \"{}\"",
                                   escape(key.user)));
      }
      seen.note(key);
    }
  }
  if (seen == table->properties().meta) return {};
  return fail_at(path, table->file().footer().properties_at,
                 "the properties are not those of the entries");
}

}  // namespace lsm
