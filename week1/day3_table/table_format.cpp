#include "table_format.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/todo.h"

#ifdef LSM_WITH_LZ4
#include <lz4.h>
#endif

namespace lsm {

namespace {

#ifdef LSM_WITH_LZ4
constexpr std::size_t kRawSizeBytes = 4;
constexpr std::uint64_t kBestRatio = 255;

// Appends raw size and compressed bytes, or nothing if that saves too little.
bool append_lz4(std::string& to, std::string_view payload) {
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

Result<std::string_view> unpack(std::string_view payload,
                                const FilePlace& place, BlockBytes& unpacked) {
  if (payload.size() < kRawSizeBytes || payload.size() > LZ4_MAX_INPUT_SIZE) {
    return fail_at(place, "a compressed frame of impossible size");
  }
  const std::uint32_t raw = load_u32(payload.data());
  payload.remove_prefix(kRawSizeBytes);
  if (raw > payload.size() * kBestRatio || raw > LZ4_MAX_INPUT_SIZE) {
    return fail_at(place, std::to_string(payload.size()) +
                              " compressed bytes cannot hold the " +
                              std::to_string(raw) + " they claim");
  }
  unpacked.data = std::make_unique_for_overwrite<char[]>(raw);
  unpacked.size_bytes = raw;
  const int size = LZ4_decompress_safe(payload.data(), unpacked.data.get(),
                                       static_cast<int>(payload.size()),
                                       static_cast<int>(raw));
  if (size < 0 || static_cast<std::uint32_t>(size) != raw) {
    return fail_at(place, "compressed bytes do not unpack");
  }
  return unpacked.view();
}
#else
bool append_lz4(std::string&, std::string_view) {
  return false;
}

Result<std::string_view> unpack(std::string_view, const FilePlace& place,
                                BlockBytes&) {
  return fail_at(place, "compressed, and this build is without LZ4",
                 Code::not_supported);
}
#endif

void append_key(std::string& to, const InternalKeyBuffer& key) {
  append_prefixed(to, key.user());
  append_u64(to, key.tag());
}

bool read_key(ByteReader& from, InternalKeyBuffer& key) {
  InternalKey view;
  if (!from.prefixed(view.user) || !from.u64(view.tag)) return false;
  key.assign(view);
  return true;
}

}  // namespace

std::unexpected<Error> fail_at(const FilePlace& place, std::string_view what,
                               Code code) {
  std::string message(place.path);
  message += ": offset " + std::to_string(place.offset) + ": ";
  message += what;
  return fail(code, std::move(message));
}

Result<void> read_exactly(const File& file, const FilePlace& place,
                          std::span<char> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    LSM_ASSIGN_OR_RETURN(const std::size_t read,
                         file.read_at(place.offset + done, to.subspan(done)));
    if (read == 0) {
      return fail_at(place, "the file ends after " + std::to_string(done) +
                                " of " + std::to_string(to.size()) + " bytes");
    }
    done += read;
  }
  return {};
}

void append_frame(std::string& to, std::string_view payload,
                  Compression compression, FileIdentity file,
                  std::uint64_t offset) {
  const std::size_t begin = to.size();
  const bool packed =
      compression == Compression::lz4 && append_lz4(to, payload);
  if (!packed) to += payload;
  append_u8(to, static_cast<std::uint8_t>(packed ? Compression::lz4
                                                 : Compression::none));
  append_u32(to, checksum32(std::string_view(to).substr(begin), file, offset));
}

Result<std::string_view> open_frame(std::string_view frame,
                                    const FilePlace& place,
                                    BlockBytes& unpacked) {
  // Task 1: open_frame
  LSM_TODO("1.3 task 1", "open_frame");
}

void TableProperties::note(InternalKey key) {
  const Sequence sequence = key.sequence();
  if (entries == 0) {
    smallest.assign(key);
    oldest_sequence = sequence;
  }
  largest.assign(key);
  entries++;
  if (key.kind() == Kind::remove) tombstones++;
  oldest_sequence = std::min(oldest_sequence, sequence);
  newest_sequence = std::max(newest_sequence, sequence);
}

std::string encode_properties(const TableProperties& properties) {
  std::string to;
  append_varint(to, properties.entries);
  append_varint(to, properties.tombstones);
  append_varint(to, properties.oldest_sequence);
  append_varint(to, properties.newest_sequence);
  append_key(to, properties.smallest);
  append_key(to, properties.largest);
  append_prefixed(to, properties.filter_policy);
  return to;
}

Result<TableProperties> decode_properties(std::string_view payload,
                                          const FilePlace& place) {
  TableProperties properties;
  std::string_view filter_policy;
  ByteReader from(payload);
  if (!from.varint(properties.entries) || !from.varint(properties.tombstones) ||
      !from.varint(properties.oldest_sequence) ||
      !from.varint(properties.newest_sequence) ||
      !read_key(from, properties.smallest) ||
      !read_key(from, properties.largest) || !from.prefixed(filter_policy) ||
      !from.empty()) {
    return fail_at(place, "properties do not decode");
  }
  properties.filter_policy = filter_policy;
  return properties;
}

std::string encode_footer(const Footer& footer) {
  std::string to;
  append_u64(to, footer.data_bytes);
  append_u64(to, footer.filter_bytes);
  append_u64(to, footer.index_bytes);
  append_u64(to, footer.properties_bytes);
  append_u64(to, footer.file.store_id);
  append_u64(to, footer.file.number);
  append_u32(to, kTableVersion);
  append_u32(to, checksum32(to, footer.file, footer.footer_offset()));
  to += kTableMagic;
  return to;
}

Result<Footer> decode_footer(std::string_view bytes, const FilePlace& place) {
  if (bytes.size() != kFooterBytes || !bytes.ends_with(kTableMagic)) {
    return fail_at(place, "not a table, or cut off: it does not end with \"" +
                              std::string(kTableMagic) + "\"");
  }
  const std::size_t checksum_at = kFooterBytes - kTableMagic.size() - 4;
  Footer footer;
  std::uint32_t version = 0;
  std::uint32_t checksum = 0;
  ByteReader from(bytes);
  const bool complete =
      from.u64(footer.data_bytes) && from.u64(footer.filter_bytes) &&
      from.u64(footer.index_bytes) && from.u64(footer.properties_bytes) &&
      from.u64(footer.file.store_id) && from.u64(footer.file.number) &&
      from.u32(version) && from.u32(checksum);
  if (!complete || checksum != checksum32(bytes.substr(0, checksum_at),
                                          footer.file, place.offset)) {
    return fail_at(place, "checksum mismatch in the footer");
  }
  if (version != kTableVersion) {
    return fail_at(place,
                   "table format " + std::to_string(version) +
                       "; this program reads format " +
                       std::to_string(kTableVersion),
                   Code::not_supported);
  }
  // Each is bounded first, so that the sum cannot wrap around.
  std::uint64_t rest = place.offset;
  for (const std::uint64_t part :
       {footer.data_bytes, footer.filter_bytes, footer.index_bytes,
        footer.properties_bytes}) {
    if (part > rest) return fail_at(place, "parts larger than the file");
    rest -= part;
  }
  if (rest != 0) return fail_at(place, "parts smaller than the file");
  return footer;
}

}  // namespace lsm
