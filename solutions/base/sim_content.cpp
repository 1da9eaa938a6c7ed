#include "base/sim_content.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lsm {
namespace {

constexpr std::array<char, SimContent::kPageBytes> kZeros = {};

}  // namespace

const SimContent::Page& SimContent::page(std::size_t index) const {
  return index < pages_.size() && pages_[index] ? *pages_[index] : kZeros;
}

SimContent::Page& SimContent::own_page(std::size_t index) {
  PageRef& page = pages_[index];
  if (!page) {
    page = std::make_shared<Page>();
  } else if (page.use_count() > 1) {
    page = std::make_shared<Page>(*page);
  }
  return *page;
}

std::size_t SimContent::read(std::uint64_t offset, std::span<char> to) const {
  if (offset >= size_) return 0;
  to = to.first(static_cast<std::size_t>(
      std::min<std::uint64_t>(to.size(), size_ - offset)));
  for (std::size_t done = 0; done < to.size();) {
    const std::uint64_t at = offset + done;
    const std::size_t inside = at % kPageBytes;
    const std::size_t count = std::min(to.size() - done, kPageBytes - inside);
    std::memcpy(to.data() + done,
                page(static_cast<std::size_t>(at / kPageBytes)).data() + inside,
                count);
    done += count;
  }
  return to.size();
}

void SimContent::write(std::uint64_t offset, std::string_view bytes) {
  if (offset + bytes.size() > size_) resize(offset + bytes.size());
  while (!bytes.empty()) {
    const std::size_t inside = offset % kPageBytes;
    const std::size_t count = std::min(bytes.size(), kPageBytes - inside);
    Page& page = own_page(static_cast<std::size_t>(offset / kPageBytes));
    std::memcpy(page.data() + inside, bytes.data(), count);
    bytes.remove_prefix(count);
    offset += count;
  }
}

void SimContent::write_back(std::uint64_t offset, std::string_view bytes) {
  if (offset >= size_) return;
  bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(
                              bytes.size(), size_ - offset)));
  for (; !bytes.empty(); offset += kPageBytes) {
    const std::string_view mine = bytes.substr(0, kPageBytes);
    const Page& old = page(static_cast<std::size_t>(offset / kPageBytes));
    if (mine != std::string_view(old.data(), mine.size())) write(offset, mine);
    bytes.remove_prefix(mine.size());
  }
}

void SimContent::resize(std::uint64_t size) {
  const std::size_t inside = size % kPageBytes;
  pages_.resize(static_cast<std::size_t>((size + kPageBytes - 1) / kPageBytes));
  if (size < size_ && inside != 0 && pages_.back()) {
    Page& last = own_page(pages_.size() - 1);
    std::fill(last.begin() + inside, last.end(), '\0');
  }
  size_ = size;
}

void SimContent::become(const SimContent& other) {
  pages_.resize(other.pages_.size());
  for (std::size_t i = 0; i < pages_.size(); i++) {
    if (pages_[i] != other.pages_[i]) pages_[i] = other.pages_[i];
  }
  size_ = other.size_;
}

SimContent SimContent::after_power_cut(const SimContent& durable,
                                       const SimContent& live,
                                       Splitmix& random) {
  if (durable.size_ == live.size_ && durable.pages_ == live.pages_) {
    return live;
  }
  const std::uint64_t fate = random.below(4);
  if (fate == 0) return durable;
  if (fate == 1) return live;

  SimContent image;
  const std::size_t pages = std::max(durable.pages_.size(), live.pages_.size());
  for (std::size_t i = 0; i < pages; i++) {
    const PageRef before =
        i < durable.pages_.size() ? durable.pages_[i] : nullptr;
    const PageRef after = i < live.pages_.size() ? live.pages_[i] : nullptr;
    image.pages_.push_back(before == after ? before
                                           : mix(before, after, random));
  }
  image.size_ = pages * kPageBytes;
  std::uint64_t size = random.below(2) == 0 ? durable.size_ : live.size_;
  if (live.size_ > durable.size_ && random.below(2) == 0) {
    size = durable.size_ + random.below(live.size_ - durable.size_ + 1);
  }
  image.resize(size);
  return image;
}

SimContent::PageRef SimContent::mix(const PageRef& before, const PageRef& after,
                                    Splitmix& random) {
  const Page& old_bytes = before ? *before : kZeros;
  const Page& new_bytes = after ? *after : kZeros;
  const auto first = std::ranges::mismatch(old_bytes, new_bytes).in1;
  if (first == old_bytes.end()) return before;
  const std::uint64_t fate = random.below(4);
  if (fate == 0) return before;
  if (fate == 1) return after;

  auto page = std::make_shared<Page>(old_bytes);
  if (fate == 2) {
    for (std::size_t at = 0; at < kPageBytes; at += kSectorBytes) {
      if (random.below(2) == 0) continue;
      std::memcpy(page->data() + at, new_bytes.data() + at, kSectorBytes);
    }
  } else {  // written back while the process was still storing into it
    const auto begin = static_cast<std::size_t>(first - old_bytes.begin());
    std::size_t end = kPageBytes;
    while (old_bytes[end - 1] == new_bytes[end - 1])
      end--;
    const std::size_t cut =
        begin + static_cast<std::size_t>(random.below(end - begin + 1));
    std::memcpy(page->data(), new_bytes.data(), cut);
  }
  return page;
}

}  // namespace lsm
