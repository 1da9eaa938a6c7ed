// What a caller may ask of one write.
#pragma once

namespace lsm {

struct WriteOptions {
  // Wait until the write, and every write before it, survives a power cut.
  bool sync = false;
};

}  // namespace lsm
