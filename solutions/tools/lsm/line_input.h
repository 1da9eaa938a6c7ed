// Where the shell's lines come from: a terminal with editing, history and
// completion (libedit, when it was there at build time), or plain stdin.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lsm::tool {

// All that the last word of `line` could become.
using Complete = std::function<std::vector<std::string>(std::string_view line)>;

class LineInput {
 public:
  virtual ~LineInput() = default;
  // Nothing at the end of the input. The prompt is for terminals only.
  virtual std::optional<std::string> next(const std::string& prompt) = 0;
  virtual bool interactive() const = 0;
};

// `complete` must outlive the input.
std::unique_ptr<LineInput> make_line_input(const Complete& complete);

// The longest text that all of `words`, at least one, begin with.
std::string common_beginning(const std::vector<std::string>& words);

}  // namespace lsm::tool
