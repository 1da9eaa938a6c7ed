#include "tools/check/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"

namespace lsm::check {
namespace {

constexpr std::size_t kWidth = 78;
constexpr std::size_t kEntriesShown = 2;   // beside those that matter
constexpr std::size_t kElementsShown = 3;  // of a list, the last

// A long list by its end.
std::string shortened(const std::string& value) {
  const auto elements = elements_of(value);
  if (!elements || elements->size() <= kElementsShown + 1) return value;
  std::string text = "[…";
  for (std::size_t i = elements->size() - kElementsShown; i < elements->size();
       ++i) {
    text += " " + (*elements)[i];
  }
  return text + "]";
}

// A paragraph, its lines after the first indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    // Bytes that begin a character.
    const auto width = static_cast<std::size_t>(
        std::count_if(text.begin() + static_cast<std::ptrdiff_t>(at),
                      text.begin() + static_cast<std::ptrdiff_t>(end),
                      [](char c) { return (c & 0xc0) != 0x80; }));
    if (column > 0 && column + 1 + width > kWidth) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += text.substr(at, end - at);
    column += width;
    at = end + 1;
  }
  return result + '\n';
}

class Storyteller {
 public:
  Storyteller(const History& history, const Graph& graph,
              const Finding& finding, Isolation isolation)
      : history_(history),
        graph_(graph),
        isolation_(isolation),
        traces_(finding.traces()) {
    for (const Edge& edge : finding.cycle) {
      for (const int version : {edge.before, edge.after}) {
        if (version >= 0) keys_.insert(graph.keys[version_of(version).key]);
      }
    }
    if (!finding.cycle.empty()) return;
    keys_.insert(finding.misread.key);
    tells_all_ = finding.misread.fault >= Fault::needless;
  }

  std::string timeline() const;
  std::string why(const Edge& edge) const;
  std::string why(const Misread& misread) const;
  std::string cast() const;
  // T1, T2 …; others by their number in the history.
  std::string name(std::size_t trace) const {
    const auto found = std::ranges::find(traces_, trace);
    if (found == traces_.end()) {
      return fmt::format("transaction {}", history_.traces[trace].number);
    }
    return fmt::format("T{}", found - traces_.begin() + 1);
  }

 private:
  const Version& version_of(int version) const {
    return graph_.versions[static_cast<std::size_t>(version)];
  }
  std::string show(int version) const {
    const Version& shown = version_of(version);
    return shown.value ? fmt::format("{} = {}", escape(graph_.keys[shown.key]),
                                     shortened(*shown.value))
                       : fmt::format("no {}", escape(graph_.keys[shown.key]));
  }
  std::string writer_name(int version) const {
    const int writer = version_of(version).writer;
    return writer < 0 ? "the empty store"
                      : name(static_cast<std::size_t>(writer));
  }
  bool matters(const std::string& key) const {
    return tells_all_ || keys_.contains(key);
  }
  std::string step(const Operation& operation) const;
  std::string newer(const Edge& edge) const;

  const History& history_;
  const Graph& graph_;
  const Isolation isolation_;
  std::vector<std::size_t> traces_;  // ascending: T1, T2 …
  std::set<std::string> keys_;
  bool tells_all_ = false;  // every step, not only those on keys_
};

// Empty: it has nothing to do with the finding.
std::string Storyteller::step(const Operation& operation) const {
  switch (operation.kind) {
    case Operation::Kind::get:
      if (!matters(operation.key)) return {};
      return operation.value
                 ? fmt::format("get {} = {}", escape(operation.key),
                               shortened(*operation.value))
                 : fmt::format("get {}: nothing", escape(operation.key));
    case Operation::Kind::put:
      if (!matters(operation.key)) return {};
      return fmt::format("put {} = {}", escape(operation.key),
                         shortened(*operation.value));
    case Operation::Kind::remove:
      if (!matters(operation.key)) return {};
      return fmt::format("remove {}", escape(operation.key));
    case Operation::Kind::scan:
      break;
  }
  const auto touched = [&](const std::string& key) {
    return contains(operation.range, key);
  };
  if (!tells_all_ && std::ranges::none_of(keys_, touched)) return {};
  const ReadRange& range = operation.range;
  std::string text = fmt::format("scan [{}, {}{}: ", escape(range.lower),
                                 range.upper ? escape(*range.upper) : "end",
                                 range.upper_included ? ']' : ')');
  // Those that matter, and a few of the others.
  std::size_t shown = 0;
  std::size_t left_out = 0;
  for (const Entry& entry : operation.entries) {
    if (!keys_.contains(entry.key) &&
        operation.entries.size() > kEntriesShown) {
      ++left_out;
      continue;
    }
    text += fmt::format("{}{}={}", shown++ > 0 ? " " : "", escape(entry.key),
                        shortened(entry.value));
  }
  if (operation.entries.empty()) text += "nothing";
  if (left_out > 0) {
    text += fmt::format("{}{} {}", shown > 0 ? " and " : "", left_out,
                        left_out == 1 ? "other" : "others");
  }
  return text;
}

std::string Storyteller::timeline() const {
  const std::size_t columns = traces_.size();
  const std::size_t width = columns <= 3 ? kWidth / columns : 4;
  std::multimap<std::uint64_t, std::pair<std::size_t, std::string>> steps;
  for (std::size_t column = 0; column < columns; ++column) {
    const Trace& trace = history_.traces[traces_[column]];
    const auto add = [&](std::uint64_t tick, std::string text) {
      if (!text.empty())
        steps.emplace(tick, std::pair(column, std::move(text)));
    };
    add(trace.begin, "begin");
    for (const Operation& operation : trace.operations)
      add(operation.tick, step(operation));
    add(trace.end, trace.outcome == Outcome::committed     ? "commit"
                   : trace.outcome == Outcome::rolled_back ? "rollback"
                                                           : "commit: refused");
  }
  std::string text;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::string title = name(traces_[column]);
    text += column + 1 < columns ? fmt::format("{:<{}}", title, width) : title;
  }
  text += '\n';
  for (const auto& [tick, what] : steps) {
    const std::size_t indent = what.first * width;
    std::string rest = what.second;
    // What is too wide for its column goes on below.
    const std::size_t room =
        columns <= 3 ? width - 2 : kWidth - std::min(indent, kWidth / 2);
    for (bool more = false; !rest.empty(); more = true) {
      std::size_t cut = rest.size();
      const std::size_t fits = more ? room - 2 : room;
      if (cut > fits) {
        cut = rest.rfind(' ', fits);
        if (cut == std::string::npos || cut == 0) cut = fits;
      }
      text += fmt::format("{:{}}{}\n", "", indent + (more ? 2 : 0),
                          rest.substr(0, cut));
      rest.erase(0, std::min(rest.find_first_not_of(' ', cut), rest.size()));
    }
  }
  return text;
}

// Why the newer version is newer.
std::string Storyteller::newer(const Edge& edge) const {
  switch (edge.order) {
    case Order::first:
      return "which was there from the beginning";
    case Order::read:
      return fmt::format("having seen {} itself",
                         edge.arrow == Arrow::rw ? "that" : show(edge.before));
    case Order::list:
      return "a list has the one before the other";
    case Order::realtime:
      return fmt::format("and {} was over when {} began",
                         writer_name(edge.before), writer_name(edge.after));
    case Order::seen:
      return fmt::format("for {0} began when {1} was over, and {0} saw {2}",
                         name(static_cast<std::size_t>(edge.witness)),
                         writer_name(edge.before), show(edge.after));
    case Order::read_before:
      return fmt::format("for {0} saw {1}, and was over when {2} began",
                         name(static_cast<std::size_t>(edge.witness)),
                         show(edge.before), writer_name(edge.after));
  }
  return {};
}

std::string Storyteller::why(const Edge& edge) const {
  const std::string from = name(edge.from);
  const std::string to = name(edge.to);
  switch (edge.arrow) {
    case Arrow::ww:
      return fmt::format("{} wrote {}; {} wrote a newer version, {}, {}", from,
                         show(edge.before), to, show(edge.after), newer(edge));
    case Arrow::wr:
      return fmt::format("{} saw {}, which {} had written", to,
                         show(edge.before), from);
    case Arrow::rw: {
      const bool removed = !version_of(edge.after).value;
      std::string text = fmt::format(
          "{} {} {}; {} {}", from,
          edge.predicate ? "scanned, and there was" : "saw", show(edge.before),
          to,
          removed ? fmt::format("removed {}",
                                escape(graph_.keys[version_of(edge.after).key]))
                  : fmt::format("wrote {}", show(edge.after)));
      if (edge.order != Order::first) text += ", " + newer(edge);
      return text;
    }
    case Arrow::session:
      return fmt::format("{} was over when {} began, in one session", from, to);
    case Arrow::realtime:
      return fmt::format("{} was over when {} began", from, to);
  }
  return {};
}

std::string Storyteller::why(const Misread& misread) const {
  const std::string reader = name(misread.reader);
  const std::string other = misread.other ? name(*misread.other) : "";
  switch (misread.fault) {
    case Fault::garbage:
      return fmt::format("{} saw {} = {}, and nobody ever wrote that.", reader,
                         escape(misread.key), misread.seen);
    case Fault::aborted:
      return fmt::format(
          "{} saw {} = {}, and {}, which wrote it, did not commit.", reader,
          misread.key, misread.seen, other);
    case Fault::intermediate:
      return fmt::format(
          "{} saw {} = {}, which {} wrote over before it committed.", reader,
          misread.key, misread.seen, other);
    case Fault::unrepeatable:
      return fmt::format("For {}, {} was {} first, and {} later.", reader,
                         misread.key, misread.expected, misread.seen);
    case Fault::early:
      return fmt::format(
          "{} saw {} = {}. When it began, {}, which wrote that, had not yet "
          "asked to commit.",
          reader, misread.key, misread.seen, other);
    case Fault::lost_update:
      return fmt::format(
          "{0} and {1} both saw {2} = {3}, both wrote {2}, and both "
          "committed.\nWhoever came second should have seen what the first "
          "wrote.",
          reader, other, misread.key, misread.seen);
    case Fault::needless:
      return fmt::format(
          "{} was refused, and had no need to be: of what {} no key was "
          "committed between its begin and its commit. The store said: {}.",
          reader,
          isolation_ == Isolation::snapshot ? "it wrote"
                                            : "it read, missed or scanned over",
          misread.seen);
    case Fault::false_blame:
      return fmt::format(
          "{} was refused for max_commit_records_bytes, and nothing that it "
          "needs had gone because of that. The store said: {}.",
          reader, misread.seen);
    case Fault::raw_bytes:
      return fmt::format("{} was refused in words that are not printable: {}.",
                         reader, misread.seen);
    case Fault::hoard:
      return fmt::format(
          "When {} had committed, {} records of commits were kept; those that "
          "an open transaction can still ask about were {}.",
          reader, misread.seen, misread.expected);
    case Fault::forked_list:
      return fmt::format(
          "{} saw {} = {}, and {} saw {}:\nneither grew from the other.",
          reader, misread.key, misread.seen, other, misread.expected);
  }
  return {};
}

// Who is who in the whole history.
std::string Storyteller::cast() const {
  std::string text;
  for (const std::size_t trace : traces_) {
    text += fmt::format("{}{} is transaction {} (session {})",
                        text.empty() ? "" : ", ", name(trace),
                        history_.traces[trace].number,
                        history_.traces[trace].session);
  }
  return text;
}

const char* arrow_name(Arrow arrow) {
  switch (arrow) {
    case Arrow::ww:
      return "─ww─►";
    case Arrow::wr:
      return "─wr─►";
    case Arrow::rw:
      return "─rw─►";
    case Arrow::session:
    case Arrow::realtime:
      break;
  }
  return "─then►";
}

}  // namespace

std::string tell(const History& history, const Graph& graph,
                 const Finding& finding, Isolation isolation) {
  const Storyteller story(history, graph, finding, isolation);
  std::string text =
      fmt::format("{}{}\n\n", name_of(finding),
                  finding.cycle.empty()
                      ? std::string()
                      : fmt::format(", a cycle of {}", finding.cycle.size()));
  text += story.timeline() + '\n';
  if (finding.cycle.empty()) {
    const std::string why = story.why(finding.misread);
    text +=
        finding.misread.fault >= Fault::needless ? wrapped(why, 0) : why + '\n';
  } else {
    std::string order;
    for (const Edge& edge : finding.cycle) {
      text += wrapped(fmt::format("{} {} {}  {}.", story.name(edge.from),
                                  arrow_name(edge.arrow), story.name(edge.to),
                                  story.why(edge)),
                      6);
      order += story.name(edge.from) + " before ";
    }
    order += story.name(finding.cycle.front().from);
    text += fmt::format("\nSo {}: no order explains what they saw.\n", order);
    if (isolation == Isolation::snapshot) {
      const bool adjacent = [&] {
        for (std::size_t i = 0; i < finding.cycle.size(); ++i) {
          const Edge& next = finding.cycle[(i + 1) % finding.cycle.size()];
          if (finding.cycle[i].arrow == Arrow::rw && next.arrow == Arrow::rw)
            return true;
        }
        return false;
      }();
      text += adjacent ? "Two rw arrows stand side by side: snapshot isolation "
                         "allows it.\n"
                       : "No two rw arrows stand side by side: snapshot "
                         "isolation forbids it.\n";
    }
  }
  return text + '(' + story.cast() + ")\n";
}

}  // namespace lsm::check
