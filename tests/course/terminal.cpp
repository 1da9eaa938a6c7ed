#include "terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace lsm::course {
namespace {

constexpr std::size_t kLabelWidth = 11;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos ||
           value.find("utf8") != std::string_view::npos ||
           value.find("UTF8") != std::string_view::npos;
  }
  return false;
}

Terminal look_around() {
  Terminal result;
  result.live = isatty(STDOUT_FILENO) == 1;
  result.colours = result.live && environment("NO_COLOR").empty() &&
                   environment("TERM") != "dumb";
  result.symbols = locale_is_utf8();
  winsize size{};
  if (result.live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0) {
    result.width = std::clamp<std::size_t>(size.ws_col, 60, 100);
  }
  return result;
}

}  // namespace

const Terminal& terminal() {
  static const Terminal found = look_around();
  return found;
}

std::string ink(Ink kind, std::string_view text) {
  if (!terminal().colours || kind == Ink::plain) return std::string(text);
  constexpr std::array<const char*, 7> kCodes = {"0",  "1",  "2", "32",
                                                 "31", "33", "36"};
  return fmt::format("\033[{}m{}\033[0m",
                     kCodes[static_cast<std::size_t>(kind)], text);
}

std::string spelled(std::string_view text) {
  if (terminal().symbols) return std::string(text);
  static const std::vector<std::pair<std::string_view, std::string_view>>
      kSpellings = {{"—", "-"},  {"–", "-"},  {"…", "..."}, {"→", "->"},
                    {"←", "<-"}, {"≤", "<="}, {"≥", ">="},  {"≠", "!="},
                    {"×", "x"},  {"“", "\""}, {"”", "\""},  {"‘", "'"},
                    {"’", "'"},  {"·", "."},  {"∞", "inf"}, {"µ", "u"}};
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto found = std::ranges::find_if(kSpellings, [&](const auto& pair) {
      return text.substr(i).starts_with(pair.first);
    });
    if (found == kSpellings.end()) {
      result += text[i++];
    } else {
      result += found->second;
      i += found->first.size();
    }
  }
  return result;
}

std::string sign(Sign kind) {
  const bool symbols = terminal().symbols;
  switch (kind) {
    case Sign::passed:
      return ink(Ink::good, symbols ? "✓" : "+");
    case Sign::failed:
      return ink(Ink::bad, symbols ? "✗" : "x");
    case Sign::waiting:
      return ink(Ink::dim, symbols ? "·" : ".");
    case Sign::crashed:
      return ink(Ink::bad, "!");
    case Sign::hung:
      return ink(Ink::bad, "~");
    case Sign::skipped:
      return ink(Ink::dim, "-");
  }
  return "?";
}

std::string bar(std::size_t part, std::size_t whole, std::size_t width) {
  std::size_t full = whole == 0 ? 0 : part * width / whole;
  if (part > 0 && full == 0) full = 1;
  std::string done;
  std::string rest;
  for (std::size_t i = 0; i < width; i++) {
    (i < full ? done : rest) +=
        terminal().symbols ? (i < full ? "█" : "░") : (i < full ? "#" : ".");
  }
  return ink(part == whole && whole > 0 ? Ink::good : Ink::warn, done) +
         ink(Ink::dim, rest);
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\033') {  // a colour takes no room
      i = std::min(text.find('m', i), text.size());
      continue;
    }
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) count++;
  }
  return count;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t taken = columns(text);
  return std::string(text) +
         std::string(taken < width ? width - taken : 0, ' ');
}

void print_field(std::string_view label, std::string_view text, Ink kind) {
  const std::string words = spelled(text);
  const std::size_t indent = 2 + kLabelWidth;
  const std::size_t room = terminal().width - indent;
  std::vector<std::string> lines;
  for (std::size_t start = 0; start <= words.size();) {
    const std::size_t end = std::min(words.find('\n', start), words.size());
    std::string_view line = std::string_view(words).substr(start, end - start);
    while (columns(line) > room) {
      std::size_t cut = line.rfind(' ', room);
      if (cut == std::string_view::npos || cut == 0) {
        cut = line.find(' ');  // a word longer than the line stays whole
        if (cut == std::string_view::npos) break;
      }
      lines.emplace_back(line.substr(0, cut));
      line.remove_prefix(cut + 1);
    }
    lines.emplace_back(line);
    start = end + 1;
  }
  for (std::size_t i = 0; i < lines.size(); i++) {
    fmt::print("  {}{}\n",
               ink(Ink::dim, padded(i == 0 ? label : "", kLabelWidth)),
               ink(kind, lines[i]));
  }
}

void print_line(std::string_view text) {
  fmt::print("{}\n", spelled(text));
}

void show_status(std::string_view text) {
  if (!terminal().live) return;
  std::string line = spelled(text);
  if (line.size() >= terminal().width) line.resize(terminal().width - 1);
  fmt::print("\r\033[K{}", ink(Ink::dim, line));
  std::fflush(stdout);
}

int bad_usage(std::string_view message) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", spelled(message));
  return 2;
}

bool ask(std::string_view question) {
  if (isatty(STDIN_FILENO) != 1) return false;
  fmt::print("{} [y/N] ", spelled(question));
  std::fflush(stdout);
  std::array<char, 64> answer{};
  if (std::fgets(answer.data(), answer.size(), stdin) == nullptr) return false;
  return answer[0] == 'y' || answer[0] == 'Y';
}

}  // namespace lsm::course
