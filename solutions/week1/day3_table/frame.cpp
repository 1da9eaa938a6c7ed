#include "frame.h"

#include "base/bytes.h"

namespace lsm {

Result<std::string_view> open_frame(std::string_view frame,
                                    const FilePlace& place,
                                    BlockBytes& unpacked) {
  // ANCHOR: task-1-3-1 open_frame
  if (frame.size() < kFrameTrailerBytes) {
    return fail_at(place, "too short for a frame");
  }
  const std::size_t checksum_at = frame.size() - 4;
  const std::string_view covered = frame.substr(0, checksum_at);
  // Nothing of the frame is believed before this line.
  if (checksum32(covered, place.file, place.offset) !=
      load_u32(frame.data() + checksum_at)) {
    return fail_at(place, "checksum mismatch in " +
                              std::to_string(frame.size()) +
                              " bytes: damaged, or not this file's");
  }
  const auto type = static_cast<std::uint8_t>(covered.back());
  const std::string_view payload = covered.substr(0, covered.size() - 1);
  switch (static_cast<Compression>(type)) {
    case Compression::none:
      return payload;
    case Compression::lz4:
      return unpack(payload, place, unpacked);
  }
  return fail_at(place, "frame type " + std::to_string(type) + " is unknown",
                 Code::not_supported);
  // ANCHOR_END: task-1-3-1
}

}  // namespace lsm
