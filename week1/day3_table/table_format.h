// What a table file is made of, byte by byte: frames that verify, and a footer
// of fixed size from which a reader finds the rest.
//
//   table  := frame* frame frame frame footer
//              data  filter index properties
//   frame  := payload type:u8 checksum:u32         type 0: as it is
//                                                  type 1: raw:u32 lz4-bytes
//   footer := data:u64 filter:u64 index:u64 properties:u64
//             store:u64 number:u64 version:u32 checksum:u32 magic:u64
//
//   0        data              +filter    +index   +properties    file size
//   │ block │ block │ … │block │ filter │ index │ properties │ footer │
//
// The footer gives the four parts' sizes in bytes; a part begins where the one
// before ends. An index payload is  (separator:prefixed tag:u64 size:varint)*
// with one entry a data frame; properties are varints and prefixed keys.
//
// A frame of the 2 bytes "hi", stored plain at offset 0 of file 7, store 1:
//
//   00  68 69          hi
//   02  00             type: as it is
//   03  83 a6 b4 62    checksum32("hi\0", {store 1, number 7}, offset 0)
//
// I1 Every byte of the file is covered by exactly one checksum, or is one, or
//    is the magic: no flip goes unseen.
// I2 A checksum is bound to store, file number and offset, so intact bytes in
//    the wrong place do not verify.
// I3 The parts' sizes and the footer's add up to the file's size.
// I4 A frame is compressed only if that saves an eighth or more. The size it
//    claims to unpack to is checked against what LZ4 can do (255 to 1) before
//    memory is taken for it.
// I5 A newer version keeps magic, checksum, version, number and store where
//    they are, so an older reader says "newer", not "damaged".
// Cost: a checksum is 0.1 µs for 4 KiB; unpacking the same some 1 µs.
// Used by: table_builder.h writes it, table.h reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/block_cache.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/file_meta.h"
#include "base/file_system.h"
#include "base/filter_policy.h"
#include "base/options.h"

namespace lsm {

struct TableOptions {
  std::size_t block_size_bytes = 4096;  // 256 … 65,536
  Compression compression = Compression::lz4;
  const FilterPolicy* filter = nullptr;  // never null when used
};

inline constexpr std::size_t kFrameTrailerBytes = 5;  // type and checksum
inline constexpr std::size_t kFooterBytes = 64;
inline constexpr std::uint32_t kTableVersion = 1;
inline constexpr std::string_view kTableMagic = "LSMTABLE";

// Where bytes stand: for their checksum, and for messages about them.
struct FilePlace {
  std::string_view path;
  FileIdentity file;
  std::uint64_t offset = 0;
};

// "/db/000007.sst: offset 4096: <what>".
std::unexpected<Error> fail_at(const FilePlace& place, std::string_view what,
                               Code code = Code::corruption);

// ANCHOR: show-frame
// Fills `to` from `place.offset`. Errors: corruption when the file ends first.
Result<void> read_exactly(const File& file, const FilePlace& place,
                          std::span<char> to);

// Appends the frame of `payload` to `to`; `offset` is where it will stand in
// the file.
void append_frame(std::string& to, std::string_view payload,
                  Compression compression, FileIdentity file,
                  std::uint64_t offset);
// The payload of a frame that may be damaged: a view into `frame`, or into
// `unpacked`, which is set only for a compressed one. Errors: corruption;
// not_supported for an unknown type.
Result<std::string_view> open_frame(std::string_view frame,
                                    const FilePlace& place,
                                    BlockBytes& unpacked);
// ANCHOR_END: show-frame

struct TableProperties {
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  Sequence oldest_sequence = 0;
  Sequence newest_sequence = 0;
  InternalKeyBuffer smallest;
  InternalKeyBuffer largest;
  std::string filter_policy;  // FilterPolicy::name() of who built the filter

  // Counts one more entry; they come in key order.
  void note(InternalKey key);
  friend bool operator==(const TableProperties&,
                         const TableProperties&) = default;
};

std::string encode_properties(const TableProperties& properties);
Result<TableProperties> decode_properties(std::string_view payload,
                                          const FilePlace& place);

struct Footer {
  std::uint64_t data_bytes = 0;
  std::uint64_t filter_bytes = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t properties_bytes = 0;
  FileIdentity file;

  std::uint64_t filter_offset() const { return data_bytes; }
  std::uint64_t index_offset() const { return data_bytes + filter_bytes; }
  std::uint64_t properties_offset() const {
    return index_offset() + index_bytes;
  }
  std::uint64_t footer_offset() const {
    return properties_offset() + properties_bytes;
  }
};

std::string encode_footer(const Footer& footer);
// `bytes` are the file's last kFooterBytes; place.offset is where they begin.
// Does not ask whether the file is the expected one: tools open any table.
// Errors: corruption; not_supported for a newer version.
Result<Footer> decode_footer(std::string_view bytes, const FilePlace& place);

}  // namespace lsm
