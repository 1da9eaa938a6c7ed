// How the course speaks: colours only on a terminal that wants them, symbols
// only where the locale has them, lines that fit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lsm::course {

struct Terminal {
  bool colours = false;    // a terminal, NO_COLOR unset, TERM not "dumb"
  bool symbols = false;    // the locale is UTF-8
  bool live = false;       // a terminal: a line may be overwritten
  std::size_t width = 80;  // columns, between 60 and 100
};

// What stdout is, looked up once.
const Terminal& terminal();

enum class Ink { plain, bold, dim, good, bad, warn, link };

// `text` in that ink, or just `text` without colours.
std::string ink(Ink kind, std::string_view text);

// `text`, or, where the locale has no UTF-8, its nearest ASCII spelling
// (a dash for a long dash, ... for an ellipsis).
std::string spelled(std::string_view text);

// One sign per outcome: a tick, a cross, a dot … or + x . in ASCII.
enum class Sign { passed, failed, waiting, crashed, hung, skipped };
std::string sign(Sign kind);

// A bar of `width` cells, `part` of `whole` of them full.
std::string bar(std::size_t part, std::size_t whole, std::size_t width);

// Columns that `text` takes: characters, not bytes.
std::size_t columns(std::string_view text);
// `text` and enough spaces to fill `width` columns.
std::string padded(std::string_view text, std::size_t width);

// Prints "  label      text", wrapped at the terminal's width; the lines that
// follow start below the text. Line ends inside `text` are kept.
void print_field(std::string_view label, std::string_view text,
                 Ink kind = Ink::plain);

// Prints a line to stdout, spelled for the locale.
void print_line(std::string_view text = {});

// Shows `text` on the line the cursor is on until the next call; nothing when
// stdout is not a terminal. An empty text erases it.
void show_status(std::string_view text);

// A bad command line: `message` to stderr, exit status 2.
int bad_usage(std::string_view message);

// Asks a yes/no question on the terminal; no terminal means no.
bool ask(std::string_view question);

}  // namespace lsm::course
