// The gate through which every byte of a table comes: a frame is a payload,
// plain or compressed, under a checksum that is bound to its place. Grammar,
// worked example and invariants stand in base/table_format.h.
#pragma once

#include "base/table_format.h"

namespace lsm {

// ANCHOR: show-frame
// The payload of a frame that may be damaged: a view into `frame`, or into
// `unpacked`, which is set only for a compressed one. Errors: corruption;
// not_supported for an unknown type.
Result<std::string_view> open_frame(std::string_view frame,
                                    const FilePlace& place,
                                    BlockBytes& unpacked);
// ANCHOR_END: show-frame

}  // namespace lsm
