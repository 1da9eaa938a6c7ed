// A table, part by part: where each stands, what the properties promise, which
// key each block ends at, and, when asked, every entry and every byte.
#include <fmt/format.h>

#include "engine/compose.h"
#include "inspect.h"
#include "table.h"
#include "text.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kBlocksShown = 16;
constexpr std::size_t kKeyColumns = 30;

// An internal key for people: apple@7 put.
std::string show_internal(const InternalKey& key) {
  return fmt::format("{}@{}", show_key(key.user), key.sequence());
}

nlohmann::json key_json(const InternalKey& key) {
  return {{"key", escape_text(key.user)},
          {"sequence", key.sequence()},
          {"kind", show_kind(key.kind())}};
}

void tell_footer(const Footer& footer, InspectReport& report) {
  report.text += fmt::format("table {:06} of store {}\n\n", footer.file.number,
                             show_id(footer.file.store_id));
  const auto part = [&](std::string_view name, std::uint64_t begin,
                        std::uint64_t end) {
    report.text += fmt::format("  {:<11} at {:>10}  {:>10} bytes\n", name,
                               begin, end - begin);
    report.json["parts"].push_back(
        {{"name", name}, {"offset", begin}, {"size_bytes", end - begin}});
  };
  part("data", 0, footer.filter_at);
  part("filter", footer.filter_at, footer.index_at);
  part("index", footer.index_at, footer.properties_at);
  part("properties", footer.properties_at, footer.footer_at);
  part("footer", footer.footer_at, footer.footer_at + kFooterBytes);
  report.json["number"] = footer.file.number;
  report.json["store_id"] = show_id(footer.file.store_id);
}

void tell_properties(const TableProperties& properties, InspectReport& report) {
  const FileMeta& is = properties.meta;
  report.text += fmt::format(
      "\n  entries     {}, of them {}, {} hidden\n  sequences   {} to {}\n"
      "  smallest    {}\n  largest     {}\n  filter      {}\n",
      show_count(is.entries), plural(is.tombstones, "tombstone"),
      show_count(is.hidden), is.oldest_sequence, is.newest_sequence,
      show_internal(is.smallest.view()), show_internal(is.largest.view()),
      properties.filter_policy);
  report.json["properties"] = {{"entries", is.entries},
                               {"tombstones", is.tombstones},
                               {"hidden", is.hidden},
                               {"oldest_sequence", is.oldest_sequence},
                               {"newest_sequence", is.newest_sequence},
                               {"smallest", key_json(is.smallest.view())},
                               {"largest", key_json(is.largest.view())},
                               {"filter_policy", properties.filter_policy}};
}

void tell_entries(const Block& block, InspectReport& report,
                  nlohmann::json& block_json) {
  BlockIterator it(block);
  for (it.seek_to_first(); it.valid(); it.next()) {
    report.text += fmt::format("    {} {}", show_internal(it.key()),
                               show_kind(it.key().kind()));
    nlohmann::json entry = key_json(it.key());
    if (it.key().kind() == Kind::put) {
      report.text += " = " + show_value(it.value());
      entry["value"] = escape_text(it.value());
    }
    report.text += '\n';
    block_json["entries"].push_back(std::move(entry));
  }
}

// The block's bytes, entry by entry: each ends where its value ends.
std::string block_hex(const Block& block, std::string_view bytes) {
  std::string text;
  std::size_t at = 0;
  const auto piece = [&](std::string_view what, std::size_t end) {
    text +=
        fmt::format("{}\n{}", what, hex_lines(bytes.substr(at, end - at), at));
    at = end;
  };
  piece("how many entries, and how many bytes all keys begin with, u16",
        kBlockHeaderBytes);
  piece("the head of each key, u16", at + 2 * block.count());
  piece("where each entry starts, u16", at + 2 * block.count());
  BlockIterator it(block);
  std::size_t i = 0;
  for (it.seek_to_first(); it.valid(); it.next(), ++i) {
    const Block::Entry entry = block.entry(i);
    const char* end = entry.value.data() + entry.value.size();
    piece(fmt::format("entry {}: shares {} bytes, {} {}", i, entry.shared,
                      show_internal(it.key()), show_kind(it.key().kind())),
          static_cast<std::size_t>(end - bytes.data()));
  }
  return text;
}

Result<void> tell_block(const Table& table, std::size_t number,
                        const InspectArgs& args, InspectReport& report) {
  const BlockIndex::Handle handle = table.index().handle(number);
  const InternalKey separator = table.index().separator(number);
  const bool hex = args.hex_block == number;
  nlohmann::json json = {{"block", number},
                         {"offset", handle.offset},
                         {"size_bytes", handle.size_bytes},
                         {"separator", key_json(separator)}};
  auto pin = table.read_block(number, table.cache(), true);
  if (!pin) {
    json["error"] = escape_text(pin.error().message);
    report.json["blocks"].push_back(std::move(json));
    return std::unexpected(pin.error());
  }
  const Block block = Block::trusted(pin->bytes());
  json["entry_count"] = block.count();
  json["unpacked_bytes"] = pin->bytes().size();
  if (args.entries || hex || number < kBlocksShown) {
    report.text += fmt::format("  {:>6} {:>10} {:>7} {:>8} {:>8}  {}\n", number,
                               handle.offset, handle.size_bytes,
                               pin->bytes().size(), block.count(),
                               shorten(show_internal(separator), kKeyColumns));
  }
  if (args.entries) tell_entries(block, report, json);
  if (hex) {
    report.text += block_hex(block, pin->bytes());
    for (const char c : pin->bytes()) {
      json["hex"] = json.value("hex", "") +
                    fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
  }
  report.json["blocks"].push_back(std::move(json));
  return {};
}

}  // namespace

Result<Footer> read_footer_of(FileSystem& fs, const std::string& path) {
  LSM_ASSIGN_OR_RETURN(const auto file, fs.open(path, FileSystem::Mode::read));
  return read_footer(*file, path);
}

Result<void> inspect_table(FileSystem& fs, const InspectArgs& args,
                           InspectReport& report) {
  report.json["type"] = "table";
  LSM_ASSIGN_OR_RETURN(const Footer footer, read_footer_of(fs, args.file));
  tell_footer(footer, report);
  LSM_ASSIGN_OR_RETURN(const Options seams, compose({}));
  const auto cache = make_no_cache();
  LSM_ASSIGN_OR_RETURN(const auto table,
                       Table::open(fs, args.file, footer.file,
                                   {seams.filter_policy.get(), cache.get()}));
  tell_properties(table->properties(), report);
  const std::size_t blocks = table->index().size();
  if (args.hex_block && *args.hex_block >= blocks) {
    return fail(Code::invalid_argument,
                fmt::format("{}: there is no block {}; it has {}", args.file,
                            *args.hex_block, plural(blocks, "block")));
  }
  report.text +=
      fmt::format("\n  {:>6} {:>10} {:>7} {:>8} {:>8}  {}\n", "block", "offset",
                  "bytes", "unpacked", "entries", "separator");
  Result<void> damage;
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto told = tell_block(*table, i, args, report);
    if (!told)
      report.text += fmt::format("  {:>6} {}\n", i, told.error().message);
    if (!told && damage) damage = told;
  }
  if (!args.entries && blocks > kBlocksShown) {
    report.text += fmt::format("  … {} more (--json lists them)\n",
                               show_count(blocks - kBlocksShown));
  }
  return damage;
}

}  // namespace lsm::tool
