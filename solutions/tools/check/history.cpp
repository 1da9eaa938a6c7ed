#include "tools/check/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <utility>

namespace lsm::check {
namespace {

// Splits at white space outside of brackets.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  int depth = 0;
  std::size_t start = text.size();
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool end = i == text.size();
    const bool space =
        !end && std::isspace(static_cast<unsigned char>(text[i])) != 0;
    if (end || (space && depth <= 0)) {
      if (start < i) words.push_back(text.substr(start, i - start));
      start = text.size();
      continue;
    }
    if (start == text.size()) start = i;
    // A range is "[a,c)": either bracket closes it.
    if (text[i] == '(' || text[i] == '[' || text[i] == '{') ++depth;
    if (text[i] == ')' || text[i] == ']' || text[i] == '}') --depth;
  }
  return words;
}

class StepParser {
 public:
  explicit StepParser(std::string_view word) : word_(word), rest_(word) {}

  Result<Step> parse() {
    Step step;
    const auto number = std::from_chars(
        rest_.data(), rest_.data() + rest_.size(), step.transaction);
    if (number.ec != std::errc() || step.transaction <= 0) {
      return wrong("a transaction's number and a colon");
    }
    rest_.remove_prefix(static_cast<std::size_t>(number.ptr - rest_.data()));
    if (!take(":")) return wrong("a colon behind the number");
    if (take("begin")) return ended(step);
    if (take("commit")) return end(step, Outcome::committed);
    if (take("rollback")) return end(step, Outcome::rolled_back);
    if (take("refused")) return end(step, Outcome::refused);
    step.kind = Step::Kind::operation;
    Operation& operation = step.operation;
    if (take("get(")) {
      operation.kind = Operation::Kind::get;
      operation.key = until(")");
      if (!take(")")) return wrong("get(key)");
      if (take("=")) {
        if (rest_ != "-") operation.value = std::string(rest_);
        rest_ = {};
      }
    } else if (take("put(")) {
      operation.kind = Operation::Kind::put;
      operation.key = until(",");
      if (!take(",") || rest_.empty() || rest_.back() != ')') {
        return wrong("put(key,value)");
      }
      rest_.remove_suffix(1);
      operation.value = std::string(std::exchange(rest_, {}));
    } else if (take("remove(")) {
      operation.kind = Operation::Kind::remove;
      operation.key = until(")");
      if (!take(")")) return wrong("remove(key)");
    } else if (take("scan")) {
      operation.kind = Operation::Kind::scan;
      if (take("@")) {
        std::size_t opened = 0;
        const auto count =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), opened);
        if (count.ec != std::errc()) return wrong("scan@2[lower,upper)");
        rest_.remove_prefix(static_cast<std::size_t>(count.ptr - rest_.data()));
        operation.opened = opened;
      }
      if (!take("[")) return wrong("scan[lower,upper)");
      LSM_TRY(scan(operation));
    } else {
      return wrong("begin, get, put, remove, scan, commit, rollback, refused");
    }
    return ended(step);
  }

 private:
  Result<void> scan(Operation& operation) {
    ReadRange& range = operation.range;
    range.lower = until(",");
    if (!take(",")) return wrong("scan[lower,upper)");
    const std::string upper = until(")]");
    if (rest_.empty()) return wrong("scan[lower,upper)");
    range.upper_included = rest_.front() == ']';
    rest_.remove_prefix(1);
    if (!upper.empty()) range.upper = upper;
    if (!take("=")) return {};
    if (!take("{") || rest_.empty() || rest_.back() != '}') {
      return wrong("scan[a,b)={key=value key=value}");
    }
    rest_.remove_suffix(1);
    for (const std::string_view entry : words_of(std::exchange(rest_, {}))) {
      const std::size_t equals = entry.find('=');
      if (equals == std::string_view::npos) return wrong("key=value");
      operation.entries.push_back({std::string(entry.substr(0, equals)),
                                   std::string(entry.substr(equals + 1))});
    }
    return {};
  }

  Result<Step> end(Step& step, Outcome outcome) {
    step.kind = Step::Kind::end;
    step.outcome = outcome;
    return ended(step);
  }
  Result<Step> ended(const Step& step) {
    if (!rest_.empty()) return wrong("nothing more");
    return step;
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::string until(std::string_view any_of) {
    const std::size_t at = std::min(rest_.find_first_of(any_of), rest_.size());
    const std::string text(rest_.substr(0, at));
    rest_.remove_prefix(at);
    return text;
  }
  std::unexpected<Error> wrong(std::string_view expected) const {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\": expected {}", word_, expected));
  }

  std::string_view word_;
  std::string_view rest_;
};

std::string to_string(const ReadRange& range) {
  return fmt::format("[{},{}{}", range.lower, range.upper.value_or(""),
                     range.upper_included ? ']' : ')');
}

}  // namespace

Result<std::vector<Step>> parse_steps(std::string_view text) {
  std::vector<Step> steps;
  std::map<int, bool> over;
  for (const std::string_view word : words_of(text)) {
    LSM_ASSIGN_OR_RETURN(Step step, StepParser(word).parse());
    const auto found = over.find(step.transaction);
    if (found != over.end() &&
        (found->second || step.kind == Step::Kind::begin)) {
      return fail(
          Code::invalid_argument,
          fmt::format("\"{}\": transaction {} {}", word, step.transaction,
                      found->second ? "is over" : "has begun"));
    }
    over[step.transaction] = step.kind == Step::Kind::end;
    steps.push_back(std::move(step));
  }
  return steps;
}

History history_of(const std::vector<Step>& steps) {
  History history;
  std::map<int, std::size_t> traces;  // by number
  std::uint64_t tick = 0;
  for (const Step& step : steps) {
    ++tick;
    if (!traces.contains(step.transaction)) {
      traces[step.transaction] = history.traces.size();
      history.traces.push_back({.session = step.transaction,
                                .begin = tick,
                                .begun = tick,
                                .number = step.transaction,
                                .opened = tick});
    }
    Trace& trace = history.traces[traces[step.transaction]];
    if (step.kind == Step::Kind::operation) {
      trace.operations.push_back(step.operation);
      trace.operations.back().tick = tick;
    } else if (step.kind == Step::Kind::end) {
      trace.outcome = step.outcome;
      trace.asked = trace.end = tick;
    }
  }
  for (Trace& trace : history.traces) {
    if (trace.end == 0) trace.asked = trace.end = ++tick;
  }
  return history;
}

Result<History> parse_history(std::string_view text) {
  LSM_ASSIGN_OR_RETURN(const auto steps, parse_steps(text));
  return history_of(steps);
}

std::string to_string(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::get:
      return fmt::format("get({})={}", operation.key,
                         operation.value.value_or("-"));
    case Operation::Kind::put:
      return fmt::format("put({},{})", operation.key,
                         operation.value.value_or(""));
    case Operation::Kind::remove:
      return fmt::format("remove({})", operation.key);
    case Operation::Kind::scan:
      break;
  }
  std::string text = fmt::format(
      "scan{}{}={{",
      operation.opened ? fmt::format("@{}", *operation.opened) : std::string(),
      to_string(operation.range));
  for (const Entry& entry : operation.entries) {
    if (text.back() != '{') text += ' ';
    text += fmt::format("{}={}", entry.key, entry.value);
  }
  return text + '}';
}

std::string to_string(const History& history) {
  std::multimap<std::uint64_t, std::string> lines;  // by tick
  for (const Trace& trace : history.traces) {
    const auto line = [&](std::uint64_t tick, std::string_view what) {
      lines.emplace(tick, fmt::format("{}:{}\n", trace.number, what));
    };
    line(trace.begin, "begin");
    for (const Operation& operation : trace.operations)
      line(operation.tick, to_string(operation));
    line(trace.end, trace.outcome == Outcome::committed     ? "commit"
                    : trace.outcome == Outcome::rolled_back ? "rollback"
                                                            : "refused");
  }
  std::string text;
  for (const auto& [tick, line] : lines)
    text += line;
  return text;
}

bool contains(const ReadRange& range, std::string_view key) {
  if (key < range.lower) return false;
  if (!range.upper) return true;
  return range.upper_included ? key <= *range.upper : key < *range.upper;
}

std::optional<std::vector<std::string>> elements_of(std::string_view value) {
  if (value.size() < 2 || value.front() != '[' || value.back() != ']') {
    return std::nullopt;
  }
  std::vector<std::string> elements;
  for (const std::string_view word :
       words_of(value.substr(1, value.size() - 2)))
    elements.emplace_back(word);
  return elements;
}

std::string with_element(std::string_view list, std::string_view element) {
  if (list.size() <= 2) return fmt::format("[{}]", element);
  return fmt::format("{} {}]", list.substr(0, list.size() - 1), element);
}

}  // namespace lsm::check
