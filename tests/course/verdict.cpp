#include "verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "stream.h"
#include "terminal.h"

namespace lsm::course {
namespace {

using std::string;
using std::string_view;

constexpr std::size_t kMostRestarts = 40;
constexpr std::size_t kMostHangs = 2;

string_view trimmed(string_view text) {
  while (!text.empty() &&
         std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

string unescaped(string_view text) {
  static constexpr std::array<std::pair<string_view, char>, 5> kEntities = {
      {{"&lt;", '<'},
       {"&gt;", '>'},
       {"&amp;", '&'},
       {"&quot;", '"'},
       {"&apos;", '\''}}};
  string result;
  while (!text.empty()) {
    const auto* found = std::ranges::find_if(
        kEntities,
        [&](const auto& entity) { return text.starts_with(entity.first); });
    if (found == kEntities.end()) {
      result += text.front();
      text.remove_prefix(1);
    } else {
      result += found->second;
      text.remove_prefix(found->first.size());
    }
  }
  return result;
}

// One step through an XML text: `<name a="b">`, `</name>` or what is between.
struct Piece {
  enum class Kind { open, close, empty, text, end } kind = Kind::end;
  string_view name;
  std::map<string, string> attributes;
  string text;
};

class XmlReader {
 public:
  explicit XmlReader(string_view xml) : rest_(xml) {}

  Piece next() {
    if (rest_.empty()) return {};
    if (rest_.front() != '<') return text();
    const std::size_t end = end_of_tag();
    if (end == string_view::npos) {  // the report breaks off inside a tag
      rest_ = {};
      return {};
    }
    string_view tag = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (tag.starts_with('?') || tag.starts_with('!')) return next();
    Piece piece{
        .kind = Piece::Kind::open, .name = {}, .attributes = {}, .text = {}};
    if (tag.starts_with('/')) {
      piece.kind = Piece::Kind::close;
      tag.remove_prefix(1);
    } else if (tag.ends_with('/')) {
      piece.kind = Piece::Kind::empty;
      tag.remove_suffix(1);
    }
    const std::size_t name_end =
        std::min(tag.find_first_of(" \n\t"), tag.size());
    piece.name = tag.substr(0, name_end);
    read_attributes(tag.substr(name_end), piece.attributes);
    return piece;
  }

 private:
  Piece text() {
    const std::size_t end = std::min(rest_.find('<'), rest_.size());
    Piece piece{.kind = Piece::Kind::text,
                .name = {},
                .attributes = {},
                .text = unescaped(rest_.substr(0, end))};
    rest_.remove_prefix(end);
    return piece;
  }

  // '>' may stand inside a quoted attribute.
  std::size_t end_of_tag() const {
    bool quoted = false;
    for (std::size_t i = 1; i < rest_.size(); i++) {
      if (rest_[i] == '"') quoted = !quoted;
      if (rest_[i] == '>' && !quoted) return i;
    }
    return string_view::npos;
  }

  static void read_attributes(string_view text,
                              std::map<string, string>& attributes) {
    while (true) {
      text = trimmed(text);
      const std::size_t equals = text.find("=\"");
      if (equals == string_view::npos) return;
      const std::size_t end = text.find('"', equals + 2);
      if (end == string_view::npos) return;
      attributes[string(text.substr(0, equals))] =
          unescaped(text.substr(equals + 2, end - equals - 2));
      text.remove_prefix(end + 1);
    }
  }

  string_view rest_;
};

// LSM_TODO's words, as an exception or inside an error that carries them.
bool says_unwritten(string_view text) {
  return text.find("not implemented yet: ") != string_view::npos;
}

std::size_t number_or_zero(const std::map<string, string>& attributes,
                           const string& name) {
  const auto found = attributes.find(name);
  return found == attributes.end()
             ? 0
             : std::strtoul(found->second.c_str(), nullptr, 10);
}

// Reads a report from one test case to the next.
class ReportReader {
 public:
  explicit ReportReader(string_view xml) : xml_(xml) {}

  std::vector<TestResult> read() {
    for (Piece piece = xml_.next(); piece.kind != Piece::Kind::end;
         piece = xml_.next()) {
      if (piece.kind == Piece::Kind::text) text_ += piece.text;
      if (piece.kind == Piece::Kind::open || piece.kind == Piece::Kind::empty) {
        text_.clear();
        opened(piece);
      }
      if (piece.kind == Piece::Kind::close ||
          piece.kind == Piece::Kind::empty) {
        closed(piece);
      }
    }
    if (inside_) results_.push_back(current_);
    return std::move(results_);
  }

  bool inside() const { return inside_; }

 private:
  void opened(const Piece& piece) {
    const auto& attributes = piece.attributes;
    const auto attribute = [&](const char* name) {
      const auto found = attributes.find(name);
      return found == attributes.end() ? string{} : found->second;
    };
    if (piece.name == "TestCase") {
      current_ = {};
      current_.test = case_from_tags(attribute("name"), attribute("tags"));
      current_.test.line = number_or_zero(attributes, "line");
      inside_ = true;
      messages_.clear();
    } else if (piece.name == "OverallResult") {
      passed_ = attribute("success") == "true";
      current_.seconds =
          std::strtod(attribute("durationInSeconds").c_str(), nullptr);
    } else if (piece.name == "Expression" || piece.name == "Exception" ||
               piece.name == "Failure" || piece.name == "FatalErrorCondition") {
      if (!in_expression_) failing_ = {};
      in_expression_ = in_expression_ || piece.name == "Expression";
      failing_.file = attribute("filename");
      failing_.line = number_or_zero(attributes, "line");
    }
  }

  void closed(const Piece& piece) {
    const string text(trimmed(text_));
    text_.clear();
    if (piece.name == "Info" || piece.name == "Warning") {
      messages_.push_back(text);
    } else if (piece.name == "Original") {
      failing_.checked = text;
    } else if (piece.name == "Expanded") {
      if (text != failing_.checked) failing_.seen = text;
    } else if (piece.name == "Exception" ||
               piece.name == "FatalErrorCondition") {
      failing_.message = text;
      fatal_ = fatal_ || piece.name == "FatalErrorCondition";
      // What Catch2 calls an unknown expression is no use to a reader.
      failing_.checked.clear();
      failing_.seen.clear();
      if (!in_expression_) finish_failure();
    } else if (piece.name == "Failure") {
      failing_.message = text;
      finish_failure();
    } else if (piece.name == "Expression") {
      in_expression_ = false;
      finish_failure();
    } else if (piece.name == "TestCase") {
      const bool todo =
          current_.failure && (says_unwritten(current_.failure->message) ||
                               says_unwritten(current_.failure->seen));
      current_.outcome = fatal_    ? Outcome::crashed
                         : passed_ ? Outcome::passed
                         : todo    ? Outcome::not_implemented
                                   : Outcome::failed;
      results_.push_back(std::move(current_));
      inside_ = false;
      fatal_ = false;
    }
  }

  void finish_failure() {
    for (const string& message : messages_)
      add_message(failing_, message);
    messages_.clear();
    if (!current_.failure) current_.failure = failing_;
    current_.failures++;
    failing_ = {};
  }

  XmlReader xml_;
  std::vector<TestResult> results_;
  TestResult current_;
  Failure failing_;
  std::vector<string> messages_;
  string text_;
  bool inside_ = false;
  bool in_expression_ = false;
  bool passed_ = false;
  bool fatal_ = false;
};

// One C++ string literal, adjacent ones joined, starting at or after `at`;
// leaves `at` behind it. Empty when there is none before `,` or `)`.
string read_literal(string_view source, std::size_t& at) {
  string result;
  while (at < source.size()) {
    const char c = source[at];
    if (c == '"') {
      for (at++; at < source.size() && source[at] != '"'; at++) {
        if (source[at] == '\\' && at + 1 < source.size()) at++;
        result += source[at];
      }
      at++;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      at++;
    } else {
      break;
    }
  }
  return result;
}

// The line of the first brace in column 0 behind `at`, which stands on `line`:
// there the body ends, as clang-format writes it.
std::size_t line_of_end(string_view source, std::size_t at, std::size_t line) {
  const std::size_t end = std::min(source.find("\n}", at), source.size());
  const string_view body = source.substr(at, end - at);
  return line + 1 + static_cast<std::size_t>(std::ranges::count(body, '\n'));
}

// Where the comment that begins at `at` ends; `at` when none begins there.
std::size_t behind_comment(string_view source, std::size_t at) {
  const string_view rest = source.substr(at);
  if (rest.starts_with("//"))
    return std::min(source.find('\n', at), source.size());
  if (!rest.starts_with("/*")) return at;
  const std::size_t end = source.find("*/", at + 2);
  return end == string_view::npos ? source.size() : end + 2;
}

// A test's name as Catch2's command line wants it: its own signs escaped.
string as_filter(string_view name) {
  string result;
  for (const char c : name) {
    if (c == ',' || c == '[' || c == '"' || c == '\\' || c == '~') {
      result += '\\';
    }
    result += c;
  }
  return result;
}

string signal_name(int number) {
  switch (number) {
    case SIGSEGV:
      return "SIGSEGV: an address that is not yours";
    case SIGBUS:
      return "SIGBUS: an address that is not there";
    case SIGABRT:
      return "SIGABRT: an assertion failed, or an exception left a destructor";
    case SIGFPE:
      return "SIGFPE: a division by zero";
    case SIGILL:
      return "SIGILL: an instruction that does not exist";
    default:
      return fmt::format("signal {}", number);
  }
}

// What a sanitizer or an assert wrote, cut to what a reader needs.
string last_words(string_view errors) {
  string result;
  std::size_t lines = 0;
  bool relevant = false;
  while (!errors.empty() && lines < 8) {
    const std::size_t end = std::min(errors.find('\n'), errors.size());
    const string_view line = errors.substr(0, end);
    errors.remove_prefix(std::min(end + 1, errors.size()));
    relevant = relevant || line.find("ERROR: ") != string_view::npos ||
               line.find("FATAL: ") != string_view::npos ||
               line.find("WARNING: ThreadSanitizer") != string_view::npos ||
               line.find("runtime error: ") != string_view::npos ||
               line.find("Assertion") != string_view::npos ||
               line.find("already defined") != string_view::npos;
    // Frames of the standard library and of Catch2 tell nothing here.
    if (!relevant || line.find("/usr/include") != string_view::npos ||
        line.find("catch") != string_view::npos || trimmed(line).empty()) {
      continue;
    }
    if (!result.empty()) result += '\n';
    result += line;
    lines++;
  }
  return result;
}

}  // namespace

string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::not_implemented:
      return "not_implemented";
    case Outcome::crashed:
      return "crashed";
    case Outcome::hung:
      return "hung";
    case Outcome::not_run:
      return "not_run";
  }
  return "not_run";
}

Tally Verdict::core() const {
  Tally tally;
  for (const TestResult& result : tests) {
    if (result.test.gold) continue;
    tally.total++;
    if (result.outcome == Outcome::passed) tally.passed++;
  }
  return tally;
}

Tally Verdict::gold() const {
  Tally tally;
  for (const TestResult& result : tests) {
    if (!result.test.gold) continue;
    tally.total++;
    if (result.outcome == Outcome::passed) tally.passed++;
  }
  return tally;
}

const TestResult* Verdict::first_failure() const {
  const TestResult* first = nullptr;
  const auto rank = [](const TestResult& result) {
    const bool mute =
        result.outcome == Outcome::hung || result.outcome == Outcome::not_run;
    return std::tuple(result.test.gold, result.test.task, mute);
  };
  for (const TestResult& result : tests) {
    if (result.outcome == Outcome::passed) continue;
    if (first == nullptr || rank(result) < rank(*first)) first = &result;
  }
  return first;
}

Case case_from_tags(string_view name, string_view tags) {
  Case result;
  result.name = name;
  result.gold = tags.find("[gold]") != string_view::npos;
  const std::size_t at = tags.find("[task-");
  if (at != string_view::npos) {
    result.task = std::atoi(string(tags.substr(at + 6)).c_str());
  }
  return result;
}

std::vector<Case> cases_of(string_view source) {
  std::vector<Case> result;
  constexpr string_view kMacro = "TEST_CASE(";
  std::size_t line = 1;
  std::size_t counted = 0;
  for (std::size_t at = source.find(kMacro); at != string_view::npos;
       at = source.find(kMacro, at)) {
    line += static_cast<std::size_t>(
        std::count(source.begin() + static_cast<std::ptrdiff_t>(counted),
                   source.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    const bool starts_line = at == 0 || source[at - 1] == '\n';
    at += kMacro.size();
    if (!starts_line) continue;  // a comment, or another macro's name
    const string name = read_literal(source, at);
    if (name.empty() || at >= source.size() || source[at] != ',') continue;
    at++;
    result.push_back(case_from_tags(name, read_literal(source, at)));
    result.back().line = line;
    result.back().last_line = line_of_end(source, counted, line);
    constexpr string_view kStory = "STORY(";
    std::size_t story = source.find(kStory, at);
    if (story < source.find(kMacro, at)) {
      story += kStory.size();
      result.back().story = read_literal(source, story);
    }
  }
  return result;
}

std::vector<Hole> holes_of(string_view id, string_view source) {
  constexpr string_view kMacro = "LSM_TODO(";
  std::vector<Hole> holes;
  std::size_t line = 1;
  const auto skip_to = [&](std::size_t from, std::size_t to) {
    const string_view skipped = source.substr(from, to - from);
    line += static_cast<std::size_t>(std::ranges::count(skipped, '\n'));
    return to;
  };
  for (std::size_t at = 0; at < source.size();) {
    const std::size_t comment = behind_comment(source, at);
    if (comment != at) {
      at = skip_to(at, comment);
    } else if (source.substr(at).starts_with(kMacro)) {
      std::size_t behind = at + kMacro.size();
      const string task = read_literal(source, behind);
      const string before = string(id) + " task ";
      if (task.starts_with(before) && behind < source.size()) {
        behind++;  // the comma
        holes.push_back({.task = std::atoi(task.c_str() + before.size()),
                         .label = read_literal(source, behind),
                         .line = line});
      }
      at = skip_to(at, std::min(behind, source.size()));
    } else {
      at = skip_to(at, at + 1);
    }
  }
  return holes;
}

void hold_back(Verdict& verdict, string_view id, const std::vector<Hole>& holes,
               const string& file) {
  for (TestResult& result : verdict.tests) {
    if (result.outcome != Outcome::passed) continue;
    const auto hole = std::ranges::find(holes, result.test.task, &Hole::task);
    if (hole == holes.end()) continue;
    result.outcome = Outcome::not_implemented;
    result.failure.emplace();
    result.failure->scenario = result.test.story;
    result.failure->message = fmt::format(
        "not implemented yet: {} task {} — {}", id, hole->task, hole->label);
    result.failure->notes.emplace_back(
        "This test passes already, because the code never comes to the "
        "LSM_TODO that is left. Write it, and call it.");
    result.failure->file = file;
    result.failure->line = hole->line;
  }
}

std::vector<TestResult> parse_report(string_view xml) {
  return ReportReader(xml).read();
}

string open_case(string_view xml) {
  ReportReader reader(xml);
  const std::vector<TestResult> results = reader.read();
  return reader.inside() ? results.back().test.name : string{};
}

void add_message(Failure& failure, string_view message) {
  const auto take = [&](string_view prefix, string& into) {
    if (!message.starts_with(prefix)) return false;
    into = trimmed(message.substr(prefix.size()));
    return true;
  };
  if (message.starts_with("bytes:")) {  // keeps its lines' own indentation
    message.remove_prefix(std::min(message.find('\n') + 1, message.size()));
    failure.bytes = message;
    return;
  }
  if (take("scenario:", failure.scenario) ||
      take("invariant:", failure.invariant) || take("seed:", failure.seed) ||
      take("checked:", failure.checked) ||
      take("expected:", failure.expected) || take("seen:", failure.seen)) {
    return;
  }
  failure.notes.emplace_back(message);
}

Verdict run_suite(const SuiteRun& run) {
  std::map<string, TestResult> seen;
  std::size_t hangs = 0;
  string why_not_run;
  const auto begin = std::chrono::steady_clock::now();

  for (std::size_t round = 0; round < kMostRestarts; round++) {
    std::vector<string> argv = {run.binary.string(), "-r", "xml", "-d", "yes"};
    string filter;
    for (const Case& test : run.cases) {
      if (seen.contains(test.name)) continue;
      if (!filter.empty()) filter += ',';
      filter += as_filter(test.name);
    }
    if (filter.empty() && !run.cases.empty()) break;
    if (round > 0 || !run.all) argv.push_back(filter);

    // The clock starts anew with every test case that the report opens.
    std::size_t looked = 0;
    const Streamed streamed = stream(argv, run.limit, [&](string_view output) {
      constexpr string_view kOpen = "<TestCase ";
      bool fresh = false;
      for (std::size_t at = output.find(kOpen, looked); at != string_view::npos;
           at = output.find(kOpen, looked)) {
        const std::size_t end = output.find('\n', at);
        if (end == string_view::npos) break;
        looked = end;
        fresh = true;
      }
      if (fresh && run.status) {
        const string name = open_case(output);
        if (!name.empty()) show_status("  " + name);
      }
      return fresh;
    });
    if (run.status) show_status({});

    const string open = open_case(streamed.output);
    std::size_t added = 0;
    for (TestResult& result : parse_report(streamed.output)) {
      if (!open.empty() && result.test.name == open) {
        result.outcome = streamed.timed_out ? Outcome::hung : Outcome::crashed;
      }
      if (result.outcome == Outcome::crashed ||
          result.outcome == Outcome::hung) {
        if (!result.failure) result.failure.emplace();
        Failure& failure = *result.failure;
        failure.message =
            streamed.timed_out ? fmt::format("the test did not end within {} s",
                                             run.limit.count() / 1000)
            : streamed.signal != 0
                ? "the test crashed with " + signal_name(streamed.signal)
                : "the test ended the program";
        const string words = last_words(streamed.errors);
        if (!words.empty()) failure.notes.push_back(words);
      }
      added += seen.emplace(result.test.name, result).second ? 1 : 0;
    }
    if (streamed.timed_out) hangs++;
    const bool broke_off =
        streamed.timed_out || streamed.signal != 0 || !open.empty();
    if (hangs >= kMostHangs) {
      why_not_run = "it was not run: too many tests before it did not end";
    } else if (added == 0) {
      why_not_run = "the suite ended before its first test: " +
                    last_words(streamed.errors);
    }
    if (!broke_off || added == 0 || hangs >= kMostHangs) break;
  }

  Verdict verdict;
  verdict.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  std::set<string> declared;
  for (const Case& test : run.cases) {
    declared.insert(test.name);
    const auto found = seen.find(test.name);
    if (found == seen.end()) {
      Failure failure;
      failure.scenario = test.story;
      failure.message = why_not_run;
      verdict.tests.push_back({.test = test,
                               .outcome = Outcome::not_run,
                               .seconds = 0,
                               .failure = failure,
                               .failures = 0});
    } else {
      verdict.tests.push_back(found->second);
      verdict.tests.back().test = test;
      std::optional<Failure>& failure = verdict.tests.back().failure;
      if (failure && failure->scenario.empty()) failure->scenario = test.story;
    }
  }
  if (run.all) {  // what a macro made, or a test the source scan missed
    for (auto& [name, result] : seen) {
      if (!declared.contains(name)) verdict.tests.push_back(result);
    }
  }
  return verdict;
}

}  // namespace lsm::course
