#include "base/table_format.h"

#include <fmt/format.h>

#include "base/bytes.h"

#ifdef LSM_WITH_LZ4
#include <lz4.h>
#endif

namespace lsm {

namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kChecksumAt = kFooterBytes - kTableMagic.size() - 4;

#ifdef LSM_WITH_LZ4
constexpr std::size_t kRawSizeBytes = 4;
constexpr std::uint64_t kBestRatio = 255;

// Appends raw size and LZ4's bytes; false, and nothing, if that saves too
// little (I4) or this build is without LZ4.
bool append_packed(std::string& to, std::string_view payload) {
  const std::size_t begin = to.size();
  const std::size_t worth = payload.size() - payload.size() / 8;
  if (worth <= kRawSizeBytes || payload.size() > LZ4_MAX_INPUT_SIZE) {
    return false;
  }
  to.resize(begin + worth);
  char* const packed =
      store_u32(to.data() + begin, static_cast<std::uint32_t>(payload.size()));
  const int size = LZ4_compress_default(
      payload.data(), packed, static_cast<int>(payload.size()),
      static_cast<int>(worth - kRawSizeBytes));
  to.resize(size == 0 ? begin
                      : begin + kRawSizeBytes + static_cast<std::size_t>(size));
  return size != 0;
}
#else
bool append_packed(std::string&, std::string_view) {
  return false;
}
#endif

}  // namespace

void append_frame(std::string& to, std::string_view payload,
                  Compression compression, FileIdentity file,
                  std::uint64_t offset) {
  const std::size_t begin = to.size();
  const bool packed =
      compression == Compression::lz4 && append_packed(to, payload);
  if (!packed) to += payload;
  append_u8(to, static_cast<std::uint8_t>(packed ? Compression::lz4
                                                 : Compression::none));
  append_u32(to, checksum32(std::string_view(to).substr(begin), file, offset));
}

#ifdef LSM_WITH_LZ4
Result<std::string_view> unpack(std::string_view packed, const FilePlace& place,
                                BlockBytes& unpacked) {
  std::uint32_t raw = 0;
  ByteReader from(packed);
  std::string_view bytes;
  if (!from.u32(raw) || !from.bytes(from.remaining(), bytes) ||
      bytes.size() > LZ4_MAX_INPUT_SIZE || raw > LZ4_MAX_INPUT_SIZE ||
      raw > bytes.size() * kBestRatio) {
    return fail_at(place, "a compressed frame of impossible size");
  }
  unpacked = {std::make_unique_for_overwrite<char[]>(raw), raw};
  const int size = LZ4_decompress_safe(bytes.data(), unpacked.data.get(),
                                       static_cast<int>(bytes.size()),
                                       static_cast<int>(raw));
  if (size < 0 || static_cast<std::uint32_t>(size) != raw) {
    return fail_at(place, "compressed bytes do not unpack");
  }
  return unpacked.view();
}
#else
Result<std::string_view> unpack(std::string_view, const FilePlace& place,
                                BlockBytes&) {
  return fail_at(place, "compressed, and this build is without LZ4",
                 Code::not_supported);
}
#endif

std::string encode_properties(const TableProperties& properties) {
  std::string to;
  append_contents(to, properties.meta);
  append_prefixed(to, properties.filter_policy);
  return to;
}

Result<TableProperties> decode_properties(std::string_view payload,
                                          const FilePlace& place) {
  TableProperties properties;
  std::string_view filter_policy;
  ByteReader from(payload);
  if (!read_contents(from, properties.meta) || !from.prefixed(filter_policy) ||
      !from.empty()) {
    return fail_at(place, "properties do not decode");
  }
  properties.filter_policy = filter_policy;
  return properties;
}

std::string encode_footer(const Footer& footer) {
  std::string to;
  append_u64(to, footer.filter_at);
  append_u64(to, footer.index_at);
  append_u64(to, footer.properties_at);
  append_u64(to, footer.file.store_id);
  append_u64(to, footer.file.number);
  append_u32(to, kVersion);
  append_u32(to, checksum32(to, footer.file, footer.footer_at));
  to += kTableMagic;
  return to;
}

Result<Footer> read_footer(const File& file, std::string_view path) {
  LSM_ASSIGN_OR_RETURN(const std::uint64_t size, file.size());
  if (size < kFooterBytes) {
    return fail_at(path, 0,
                   fmt::format("{} bytes are too few for a table", size));
  }
  Footer footer;
  footer.footer_at = size - kFooterBytes;
  char bytes[kFooterBytes];
  LSM_TRY(read_exactly(file, path, footer.footer_at, bytes));
  const std::string_view all(bytes, kFooterBytes);
  if (!all.ends_with(kTableMagic)) {
    return fail_at(path, footer.footer_at,
                   fmt::format("not a table, or cut off: it does not end with "
                               "\"{}\"",
                               kTableMagic));
  }
  footer.filter_at = load_u64(bytes);
  footer.index_at = load_u64(bytes + 8);
  footer.properties_at = load_u64(bytes + 16);
  footer.file = {load_u64(bytes + 24), load_u64(bytes + 32)};
  const std::uint32_t version = load_u32(bytes + 40);
  if (load_u32(bytes + kChecksumAt) !=
      checksum32(all.substr(0, kChecksumAt), footer.file, footer.footer_at)) {
    return fail_at(path, footer.footer_at, "checksum mismatch in the footer");
  }
  if (version != kVersion) {
    return fail_at(path, footer.footer_at,
                   fmt::format("table format {}; this program reads format {}",
                               version, kVersion),
                   Code::not_supported);
  }
  if (footer.filter_at > footer.index_at ||
      footer.index_at > footer.properties_at ||
      footer.properties_at > footer.footer_at) {
    return fail_at(path, footer.footer_at, "parts out of order");
  }
  return footer;
}

Result<TableFile> TableFile::open(FileSystem& fs, const std::string& path,
                                  FileIdentity expected) {
  LSM_ASSIGN_OR_RETURN(auto file, fs.open(path, FileSystem::Mode::read));
  LSM_ASSIGN_OR_RETURN(const Footer footer, read_footer(*file, path));
  LSM_TRY(expect_identity(path, footer.footer_at, footer.file, expected));
  return TableFile(std::move(file), path, footer);
}

}  // namespace lsm
