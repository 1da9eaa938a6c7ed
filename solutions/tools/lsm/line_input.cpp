#include "line_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <iostream>

#ifdef LSM_HAVE_LIBEDIT
#include <histedit.h>
#endif

namespace lsm::tool {
namespace {

// Prints the prompt only when somebody is there to see it.
class PlainInput final : public LineInput {
 public:
  explicit PlainInput(bool interactive) : interactive_(interactive) {}

  std::optional<std::string> next(const std::string& prompt) override {
    if (interactive_) {
      fmt::print("{}", prompt);
      std::fflush(stdout);
    }
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  }
  bool interactive() const override { return interactive_; }

 private:
  bool interactive_;
};

#ifdef LSM_HAVE_LIBEDIT

constexpr int kHistoryLines = 1000;
constexpr std::size_t kShown = 24;  // completions

class EditedInput final : public LineInput {
 public:
  explicit EditedInput(const Complete& complete)
      : complete_(complete),
        edit_(::el_init("lsm", stdin, stdout, stderr)),
        history_(::history_init()) {
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, kHistoryLines);
    ::history(history_, &event, H_SETUNIQUE, 1);
    ::el_set(edit_, EL_CLIENTDATA, this);
    ::el_set(edit_, EL_PROMPT, &EditedInput::prompt_of);
    ::el_set(edit_, EL_EDITOR, "emacs");
    ::el_set(edit_, EL_SIGNAL, 1);
    ::el_set(edit_, EL_HIST, ::history, history_);
    ::el_set(edit_, EL_ADDFN, "lsm-complete", "complete a word",
             &EditedInput::complete_word);
    ::el_set(edit_, EL_BIND, "^I", "lsm-complete", nullptr);
    ::el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_source(edit_, nullptr);  // the user's ~/.editrc
  }
  ~EditedInput() override {
    ::history_end(history_);
    ::el_end(edit_);
  }
  EditedInput(const EditedInput&) = delete;
  EditedInput& operator=(const EditedInput&) = delete;

  std::optional<std::string> next(const std::string& prompt) override {
    prompt_ = prompt;
    std::fflush(stdout);
    int count = 0;
    const char* text = ::el_gets(edit_, &count);
    if (text == nullptr || count <= 0) return std::nullopt;
    std::string line(text, static_cast<std::size_t>(count));
    if (line.find_first_not_of(" \n") != line.npos) {
      HistEvent event;
      ::history(history_, &event, H_ENTER, text);
    }
    if (line.ends_with('\n')) line.pop_back();
    return line;
  }
  bool interactive() const override { return true; }

 private:
  static EditedInput& self(EditLine* edit) {
    void* data = nullptr;
    ::el_get(edit, EL_CLIENTDATA, &data);
    return *static_cast<EditedInput*>(data);
  }
  static char* prompt_of(EditLine* edit) { return self(edit).prompt_.data(); }

  static unsigned char complete_word(EditLine* edit, int) {
    const LineInfo* info = ::el_line(edit);
    const std::string_view line(
        info->buffer, static_cast<std::size_t>(info->cursor - info->buffer));
    const std::string_view word = line.substr(line.rfind(' ') + 1);
    std::vector<std::string> words = self(edit).complete_(line);
    std::erase_if(words,
                  [&](const std::string& w) { return !w.starts_with(word); });
    if (words.empty()) return CC_REFRESH_BEEP;
    std::string more = common_beginning(words).substr(word.size());
    if (words.size() == 1) more += ' ';
    if (!more.empty()) {
      return ::el_insertstr(edit, more.c_str()) == 0 ? CC_REFRESH
                                                     : CC_REFRESH_BEEP;
    }
    fmt::print("\n");
    for (std::size_t i = 0; i < std::min(words.size(), kShown); ++i) {
      fmt::print("{}  ", words[i]);
    }
    fmt::print("{}\n", words.size() > kShown ? "…" : "");
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  const Complete& complete_;
  EditLine* edit_;
  History* history_;
  std::string prompt_;
};

#endif

}  // namespace

std::string common_beginning(const std::vector<std::string>& words) {
  std::string_view common = words.front();
  for (const std::string& word : words) {
    const auto [end, unused] = std::ranges::mismatch(common, word);
    common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
  }
  return std::string(common);
}

std::unique_ptr<LineInput> make_line_input(
    [[maybe_unused]] const Complete& complete) {
  const bool interactive =
      ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
#ifdef LSM_HAVE_LIBEDIT
  if (interactive) {
    std::setlocale(LC_CTYPE, "");  // so that it counts characters, not bytes
    return std::make_unique<EditedInput>(complete);
  }
#endif
  return std::make_unique<PlainInput>(interactive);
}

}  // namespace lsm::tool
