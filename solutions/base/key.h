// A key as the user knows it, and the same key as the engine stores it: with
// the sequence that says when it was written, and the kind that says what
// happened then.
//
//   internal key = user key | tag       tag = sequence << 8 | kind
//   "ab" put at sequence 5:   61 62 | 01 05 00 00 00 00 00 00  (u64 LE)
//
// I1 Order: user key ascending as unsigned bytes, then tag DESCENDING, so that
//    the newest version of a key comes first.
// I2 No two entries of a store share user key and sequence.
// I3 A user key is a std::string_view, an InternalKey a struct of its own:
//    handing one where the other is meant does not compile.
// Cost: a comparison is one memcmp and at most one integer compare.
// Lifetime: an InternalKey is a view; InternalKeyBuffer owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lsm {

using Sequence = std::uint64_t;

// Sequences are 56 bits wide; every read "at kMaxSequence" sees all.
inline constexpr Sequence kMaxSequence = (Sequence{1} << 56) - 1;

// A user key is at most 65,535 bytes, a value at most 1 GiB. The engine
// refuses what is longer before anything is written.
inline constexpr std::size_t kMaxKeySizeBytes = 65'535;
inline constexpr std::size_t kMaxValueSizeBytes = std::size_t{1} << 30;
inline constexpr std::size_t kTagSizeBytes = 8;

enum class Kind : std::uint8_t {
  remove = 0,  // a tombstone: the key is gone as of this sequence
  put = 1,
};

// Sequence and kind in one integer; a larger tag is newer.
constexpr std::uint64_t make_tag(Sequence sequence, Kind kind) {
  return (sequence << 8) | static_cast<std::uint8_t>(kind);
}

struct InternalKey {
  std::string_view user;
  std::uint64_t tag = 0;

  constexpr Sequence sequence() const { return tag >> 8; }
  constexpr Kind kind() const { return static_cast<Kind>(tag & 0xff); }

  friend bool operator==(const InternalKey&, const InternalKey&) = default;
};

// The place where a read of `user` at `sequence` begins: every version newer
// than `sequence` sorts before it, every other version at it or after it.
constexpr InternalKey seek_key(std::string_view user, Sequence sequence) {
  return {user, make_tag(sequence, Kind::put)};
}

// True for the kinds that this version of the format knows.
constexpr bool is_known_kind(std::uint8_t kind) {
  return kind <= 1;
}

// <0, 0, >0 as memcmp; unsigned bytes, a prefix sorts first.
inline int compare(std::string_view a, std::string_view b) {
  return a.compare(b);
}

// I1.
inline int compare(const InternalKey& a, const InternalKey& b) {
  if (const int order = a.user.compare(b.user); order != 0) return order;
  if (a.tag == b.tag) return 0;
  return a.tag > b.tag ? -1 : 1;
}

// An internal key with bytes of its own, for boundaries that outlive what
// they were read from.
class InternalKeyBuffer {
 public:
  InternalKeyBuffer() = default;
  explicit InternalKeyBuffer(const InternalKey& key)
      : user_(key.user), tag_(key.tag) {}

  void assign(const InternalKey& key) {
    user_.assign(key.user);
    tag_ = key.tag;
  }
  // The view lives until the buffer is changed or dies.
  InternalKey view() const { return {user_, tag_}; }
  const std::string& user() const { return user_; }
  std::uint64_t tag() const { return tag_; }

  friend bool operator==(const InternalKeyBuffer&,
                         const InternalKeyBuffer&) = default;

 private:
  std::string user_;
  std::uint64_t tag_ = 0;
};

}  // namespace lsm
