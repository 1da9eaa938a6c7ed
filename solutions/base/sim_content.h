// The bytes of one file of the simulated disk, in pages that copies share
// until one of them writes; and what a power cut makes of them.
//
//   durable  |aaaa|bb  |           as of the last sync()
//   live     |aaaa|bbcc|dddd|      as the process sees it
//   image    |aaaa|bbc0|0000|      one of the many that a power cut may leave
//
// I1 Bytes behind the end of the file, in its last page, are zero.
// I2 A page that durable and live share is in every image as it is.
// Cost: a copy is one reference count a page; a write copies a shared page.
// Thread safety: none; copies that share pages belong to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/splitmix.h"

namespace lsm {

class SimContent {
 public:
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kSectorBytes = 512;

  std::uint64_t size() const { return size_; }
  // Returns how many bytes there were.
  std::size_t read(std::uint64_t offset, std::span<char> to) const;
  // Grows the file if need be.
  void write(std::uint64_t offset, std::string_view bytes);
  // Writes what differs, so that equal pages stay shared; never grows.
  void write_back(std::uint64_t offset, std::string_view bytes);
  void resize(std::uint64_t size);
  // Assignment that leaves pages alone which are shared already.
  void become(const SimContent& other);

  // One image, drawn from `random`. A file loses all its unsynced changes,
  // keeps all, or each page decides for itself: old, new, a mix by sectors, or
  // new up to some byte. A length that grew ends anywhere in between.
  static SimContent after_power_cut(const SimContent& durable,
                                    const SimContent& live, Splitmix& random);

 private:
  using Page = std::array<char, kPageBytes>;
  using PageRef = std::shared_ptr<Page>;  // null: all zero

  static PageRef mix(const PageRef& before, const PageRef& after,
                     Splitmix& random);
  const Page& page(std::size_t index) const;
  Page& own_page(std::size_t index);

  std::vector<PageRef> pages_;  // as many as size_ needs
  std::uint64_t size_ = 0;
};

}  // namespace lsm
