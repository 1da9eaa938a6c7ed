// What a table file is made of, byte by byte: frames that verify, and a footer
// of fixed size from which a reader finds the rest.
//
//   table  := frame* frame frame frame footer
//              data  filter index properties
//   frame  := payload type:u8 checksum:u32         type 0: as it is
//                                                  type 1: raw:u32 lz4-bytes
//   footer := filter:u64 index:u64 properties:u64
//             store:u64 number:u64 version:u32 checksum:u32 magic:u64
//
//   0        filter   index   properties   file size - 56
//   │ block │ block │ … │ filter │ index │ properties │ footer │
//
// The footer says where three parts begin; a part ends where the next begins.
// An index payload is  (separator:key size:varint)*  with one entry a data
// frame; properties are  contents filter_policy:prefixed  (file_meta.h).
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
// I3 The parts follow each other without a gap, and end at the footer.
// I4 A frame is compressed only if that saves an eighth or more. The size it
//    claims to unpack to is checked against what LZ4 can do (255 to 1) before
//    memory is taken for it.
// I5 A newer version keeps magic, checksum, version, number and store where
//    they are, so an older reader says "newer", not "damaged".
// Cost: a checksum is 0.1 µs for 4 KiB; unpacking the same some 1 µs.
// Used by: 1.3, whose frame.h opens frames, and tools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/block_cache.h"
#include "base/checksum.h"
#include "base/file_meta.h"
#include "base/file_system.h"
#include "base/filter_policy.h"
#include "base/options.h"
#include "base/read_ahead.h"

namespace lsm {

struct TableOptions {
  std::size_t block_size_bytes = 4096;  // 256 … 65,536
  Compression compression = Compression::lz4;
  const FilterPolicy* filter = nullptr;  // never null when used
};

inline constexpr std::size_t kFrameTrailerBytes = 5;  // type and checksum
inline constexpr std::size_t kFooterBytes = 56;
inline constexpr std::string_view kTableMagic = "LSMTABLE";

// Where bytes stand: for their checksum, and for messages about them.
struct FilePlace {
  std::string_view path;
  FileIdentity file;
  std::uint64_t offset = 0;
};

inline std::unexpected<Error> fail_at(const FilePlace& place,
                                      std::string_view what,
                                      Code code = Code::corruption) {
  return fail_at(place.path, place.offset, what, code);
}

// Appends the frame of `payload` to `to`; `offset` is where it will stand in
// the file.
void append_frame(std::string& to, std::string_view payload,
                  Compression compression, FileIdentity file,
                  std::uint64_t offset);
// The bytes of a compressed frame's payload; they live in `unpacked`. Errors:
// corruption; not_supported in a build without LZ4.
Result<std::string_view> unpack(std::string_view packed, const FilePlace& place,
                                BlockBytes& unpacked);

struct TableProperties {
  FileMeta meta;              // its contents
  std::string filter_policy;  // FilterPolicy::name() of who built the filter
};

std::string encode_properties(const TableProperties& properties);
Result<TableProperties> decode_properties(std::string_view payload,
                                          const FilePlace& place);

struct Footer {
  std::uint64_t filter_at = 0;
  std::uint64_t index_at = 0;
  std::uint64_t properties_at = 0;
  std::uint64_t footer_at = 0;  // not stored: where the footer itself stands
  FileIdentity file;
};

std::string encode_footer(const Footer& footer);
// Does not ask whether the file is the expected one: tools open any table.
// Errors: corruption; not_supported for a newer version.
Result<Footer> read_footer(const File& file, std::string_view path);

// The file of one table, whose footer has been checked.
class TableFile {
 public:
  // Errors: not_found, io; corruption, also for an intact table of another
  // store or number; not_supported for a newer version.
  static Result<TableFile> open(FileSystem& fs, const std::string& path,
                                FileIdentity expected);

  const Footer& footer() const { return footer_; }
  FilePlace place(std::uint64_t offset) const {
    return {path_, footer_.file, offset};
  }
  Result<void> read(std::uint64_t offset, std::span<char> to) const {
    return read_exactly(*file_, path_, offset, to);
  }
  // For blocks; lives no longer than this, which must not be moved.
  ReadAhead read_ahead(std::size_t start_bytes) const {
    return {*file_, path_, footer_.filter_at, start_bytes};
  }

 private:
  TableFile(std::unique_ptr<const File> file, std::string path, Footer footer)
      : file_(std::move(file)), path_(std::move(path)), footer_(footer) {}

  std::unique_ptr<const File> file_;
  std::string path_;
  Footer footer_;
};

}  // namespace lsm
