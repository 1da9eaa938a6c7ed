#pragma once

// Checks the pages of the book before mdBook sees them, because mdBook passes
// most mistakes silently: a missing include becomes an empty code block.
//
// C1 Every {{#include …}} names a file that exists, and an anchor in it.
// C2 Every anchor of an included file is closed once, and opened once (a
//    `task-` may mark several bodies under one name).
// C3 Nothing included shows a `task-` or `hide-` region: that is a spoiler.
// C4 Every internal link leads to a page or file of the book, and its
//    #fragment to a heading (or id) of that page.
// C5 Every page in src/ is listed in SUMMARY.md once, and every listed page
//    exists. (Hints, *_hints.md, are shown by `course hint` and not listed.)
// C6 An included figure (.svg) has no blank line: Markdown would end there.
//
// Knows as much Markdown as the pages use: fenced code, code spans, inline
// and reference links, images, HTML href/src/id, headings with {#id}.
// Used by book/build.sh (check.cpp) and by tests/course/book_check_test.cpp.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace book {

namespace fs = std::filesystem;

struct Problem {
  std::string file;  // relative to the book's src folder
  std::size_t line;  // from 1; 0 when the file as a whole is meant
  std::string what;
};

inline std::string describe(const Problem& problem) {
  std::string where = problem.file;
  if (problem.line != 0) where += ":" + std::to_string(problem.line);
  return where + ": " + problem.what;
}

inline std::optional<std::vector<std::string>> read_lines(
    const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || !fs::is_regular_file(path)) return std::nullopt;
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// The id that mdBook gives a heading: letters, digits, `_` and `-` stay, in
// lower case; white space becomes `-`; all else goes.
inline std::string heading_id(std::string_view heading) {
  static const std::regex markup(R"(</?(em|code|strong)>|\]\([^)]*\))");
  const std::string text = std::regex_replace(std::string(heading), markup, "");
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  const auto last = text.find_last_not_of(" \t");
  std::string id;
  for (std::size_t i = first; i <= last; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // Punctuation outside ASCII (dashes, quotes, arrows: U+2000 to U+2BFF)
    // goes as well, so do U+00D7, U+00F7 and most of U+0080 to U+00BF; letters
    // outside ASCII stay.
    const auto next = i < last ? static_cast<unsigned char>(text[i + 1]) : 0u;
    static const std::string letters = "\xAA\xB2\xB3\xB5\xB9\xBA\xBC\xBD\xBE";
    if (byte == 0xE2 && i + 2 <= last) {
      i += 2;
    } else if ((byte == 0xC3 && (next == 0x97 || next == 0xB7)) ||
               (byte == 0xC2 &&
                letters.find(static_cast<char>(next)) == std::string::npos)) {
      ++i;
    } else if (byte >= 0x80 || std::isalnum(byte) != 0 || byte == '_' ||
               byte == '-') {
      id += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (byte == ' ' || byte == '\t') {
      id += '-';
    }
  }
  return id;
}

// A region between two marker lines; lines counted from 0, markers included.
struct Region {
  std::string name;
  std::size_t first;
  std::size_t last;
};

struct Source {
  std::vector<std::string> lines;
  std::vector<Region> regions;
  std::vector<Problem> problems;
};

inline bool is_secret(const std::string& name) {
  return name.rfind("task-", 0) == 0 || name.rfind("hide-", 0) == 0;
}

inline Source read_source(const fs::path& path, const std::string& shown_as) {
  static const std::regex opening(R"(ANCHOR:\s*([\w-]+))");
  static const std::regex closing(R"(ANCHOR_END:\s*([\w-]+))");
  Source source;
  source.lines = read_lines(path).value_or(std::vector<std::string>{});
  std::map<std::string, std::size_t> open;
  std::set<std::string> seen;
  const auto complain = [&](std::size_t index, const std::string& what) {
    source.problems.push_back({shown_as, index + 1, what});
  };
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(source.lines[i], match, closing)) {
      const auto found = open.find(match[1]);
      if (found == open.end()) {
        complain(i, "ANCHOR_END: " + match[1].str() + " was never opened");
        continue;
      }
      source.regions.push_back({match[1], found->second, i});
      open.erase(found);
    } else if (std::regex_search(source.lines[i], match, opening)) {
      const std::string name = match[1];
      if (open.contains(name)) {
        complain(i, "ANCHOR: " + name + " is opened inside itself");
      } else if (seen.contains(name) && !is_secret(name)) {
        complain(i, "ANCHOR: " + name + " is used twice; mdBook shows one");
      }
      seen.insert(name);
      open.emplace(name, i);
    }
  }
  for (const auto& [name, index] : open) {
    complain(index, "ANCHOR: " + name + " is never closed");
  }
  return source;
}

// What the checks of links need to know of one page.
struct Page {
  std::vector<std::string> lines;
  std::vector<bool> in_code;  // per line: inside a fenced block
  std::set<std::string> ids;
};

inline Page read_page(const fs::path& path) {
  static const std::regex heading(R"(^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$)");
  static const std::regex custom(R"(^(.*?)\s*\{\s*#([^\s}]+)[^}]*\}$)");
  static const std::regex html_id(R"re(\b(?:id|name)="([^"]+)")re");
  Page page;
  page.lines = read_lines(path).value_or(std::vector<std::string>{});
  std::map<std::string, int> used;
  std::string fence;
  for (const std::string& line : page.lines) {
    const auto start = line.find_first_not_of(" >");
    const std::string body =
        start == std::string::npos ? std::string() : line.substr(start);
    if (fence.empty() &&
        (body.rfind("```", 0) == 0 || body.rfind("~~~", 0) == 0)) {
      fence = body.substr(0, body.find_first_not_of(body[0]));
      page.in_code.push_back(true);
      continue;
    }
    if (!fence.empty()) {
      page.in_code.push_back(true);
      if (body.rfind(fence, 0) == 0) fence.clear();
      continue;
    }
    page.in_code.push_back(false);
    std::smatch match;
    if (std::regex_match(line, match, heading)) {
      const std::string text = match[1];
      std::smatch named;
      if (std::regex_match(text, named, custom)) {
        page.ids.insert(named[2]);
      } else {
        const std::string id = heading_id(text);
        const int count = used[id]++;
        page.ids.insert(count == 0 ? id : id + "-" + std::to_string(count));
      }
    }
    for (auto it = std::sregex_iterator(line.begin(), line.end(), html_id);
         it != std::sregex_iterator(); ++it) {
      page.ids.insert((*it)[1]);
    }
  }
  return page;
}

class Checker {
 public:
  explicit Checker(fs::path src) : src_(fs::canonical(src)) {}

  std::vector<Problem> run() {
    std::vector<fs::path> pages;
    for (const auto& entry : fs::recursive_directory_iterator(src_)) {
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
    }
    std::sort(pages.begin(), pages.end());
    check_summary(pages);
    for (const fs::path& path : pages) {
      const Page& page = load(path);
      for (std::size_t i = 0; i < page.lines.size(); ++i) {
        check_includes(path, page.lines[i], i + 1);
        if (!page.in_code[i] && path != src_ / "SUMMARY.md") {
          check_links(path, page.lines[i], i + 1);
        }
      }
    }
    return std::move(problems_);
  }

 private:
  std::string name(const fs::path& path) const {
    return path.lexically_relative(src_).generic_string();
  }

  void complain(const fs::path& path, std::size_t line, std::string what) {
    problems_.push_back({name(path), line, std::move(what)});
  }

  const Page& load(const fs::path& path) {
    const auto found = pages_.find(path);
    if (found != pages_.end()) return found->second;
    return pages_.emplace(path, read_page(path)).first->second;
  }

  const Source& load_source(const fs::path& path) {
    const auto found = sources_.find(path);
    if (found != sources_.end()) return found->second;
    const Source& source =
        sources_.emplace(path, read_source(path, name(path))).first->second;
    problems_.insert(problems_.end(), source.problems.begin(),
                     source.problems.end());
    return source;
  }

  // C5
  void check_summary(const std::vector<fs::path>& pages) {
    static const std::regex link(R"(\[[^\]]*\]\(([^)]*)\))");
    const fs::path summary = src_ / "SUMMARY.md";
    if (!fs::is_regular_file(summary)) {
      complain(summary, 0, "is missing");
      return;
    }
    std::set<fs::path> listed;
    const Page& page = load(summary);
    for (std::size_t i = 0; i < page.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(page.lines[i], match, link)) continue;
      const std::string target = match[1];
      if (target.empty()) continue;  // a draft chapter
      const fs::path path = (src_ / target).lexically_normal();
      if (!fs::is_regular_file(path)) {
        complain(summary, i + 1, "lists a page that does not exist: " + target);
      }
      if (!listed.insert(path).second) {
        complain(summary, i + 1, "lists a page twice: " + target);
      }
    }
    for (const fs::path& path : pages) {
      const bool hints = path.stem().string().ends_with("_hints");
      if (path != summary && !hints && !listed.contains(path)) {
        complain(path, 0, "is not listed in SUMMARY.md");
      }
    }
  }

  // C1, C2, C3, C6. mdBook follows includes in fenced code too.
  void check_includes(const fs::path& path, const std::string& line,
                      std::size_t number) {
    static const std::regex directive(
        R"((\\?)\{\{\s*#([A-Za-z_]+)\s*([^}]*?)\s*\}\})");
    for (auto it = std::sregex_iterator(line.begin(), line.end(), directive);
         it != std::sregex_iterator(); ++it) {
      if ((*it)[1].length() != 0) continue;  // escaped
      const std::string verb = (*it)[2];
      const std::string argument = (*it)[3];
      if (verb == "title") continue;
      if (verb != "include" && verb != "rustdoc_include") {
        complain(path, number, "unknown directive {{#" + verb + "}}");
        continue;
      }
      check_include(path, number, argument);
    }
  }

  void check_include(const fs::path& path, std::size_t number,
                     const std::string& argument) {
    static const std::regex range(R"(\d*(:\d*)?)");
    const auto colon = argument.find(':');
    const std::string file = argument.substr(0, colon);
    const std::string part =
        colon == std::string::npos ? "" : argument.substr(colon + 1);
    const fs::path target = (path.parent_path() / file).lexically_normal();
    if (file.empty() || !fs::is_regular_file(target)) {
      complain(path, number, "includes a file that does not exist: " + file);
      return;
    }
    const Source& source = load_source(target);
    std::size_t first = 0;
    std::size_t last = source.lines.empty() ? 0 : source.lines.size() - 1;
    if (part.empty()) {
      // the whole file
    } else if (std::regex_match(part, range)) {
      const auto inner = part.find(':');
      const std::string from = part.substr(0, inner);
      const std::string to =
          inner == std::string::npos ? from : part.substr(inner + 1);
      const std::size_t begin = from.empty() ? 1 : std::stoul(from);
      const std::size_t end = to.empty() ? source.lines.size() : std::stoul(to);
      if (begin == 0 || begin > end || end > source.lines.size()) {
        complain(path, number, "includes lines that do not exist: " + argument);
        return;
      }
      first = begin - 1;
      last = end - 1;
    } else {
      const auto region = std::find_if(
          source.regions.begin(), source.regions.end(),
          [&](const Region& candidate) { return candidate.name == part; });
      if (region == source.regions.end()) {
        complain(path, number,
                 "includes an anchor that does not exist: " + argument);
        return;
      }
      first = region->first;
      last = region->last;
    }
    for (const Region& region : source.regions) {
      const bool secret = is_secret(region.name);
      if (secret && region.first <= last && region.last >= first) {
        complain(path, number,
                 "shows a solution: " + argument + " contains " + region.name);
      }
    }
    if (target.extension() == ".svg") {
      for (const std::string& text : source.lines) {
        if (text.find_first_not_of(" \t") != std::string::npos) continue;
        complain(path, number, "includes a figure with a blank line: " + file);
        break;
      }
    }
  }

  // C4
  void check_links(const fs::path& path, std::string line, std::size_t number) {
    static const std::regex span("(`+)[^`]+\\1");
    static const std::regex inline_link(
        R"re(\]\(\s*<?([^)>\s]*)>?(?:\s+"[^"]*")?\s*\))re");
    static const std::regex reference(R"(^ {0,3}\[[^\]^]+\]:\s*<?([^>\s]+)>?)");
    static const std::regex html(R"re(\b(?:href|src)="([^"]*)")re");
    line = std::regex_replace(line, span, "");
    for (const std::regex* kind : {&inline_link, &reference, &html}) {
      for (auto it = std::sregex_iterator(line.begin(), line.end(), *kind);
           it != std::sregex_iterator(); ++it) {
        check_link(path, number, (*it)[1]);
      }
    }
  }

  void check_link(const fs::path& path, std::size_t number,
                  const std::string& link) {
    static const std::regex scheme(R"(^[A-Za-z][A-Za-z0-9+.-]*:.*)");
    if (std::regex_match(link, scheme)) return;  // leads outside the book
    const auto hash = link.find('#');
    const std::string file = link.substr(0, hash);
    const std::string fragment =
        hash == std::string::npos ? "" : link.substr(hash + 1);
    fs::path target =
        file.empty() ? path : (path.parent_path() / file).lexically_normal();
    if (target.extension() == ".html") target.replace_extension(".md");
    if (name(target).rfind("..", 0) == 0) {
      complain(path, number, "links out of the book: " + link);
      return;
    }
    if (link.empty() || !fs::is_regular_file(target)) {
      complain(path, number, "links to a page that does not exist: " + link);
      return;
    }
    if (hash != std::string::npos && target.extension() == ".md" &&
        !load(target).ids.contains(fragment)) {
      complain(path, number, "links to a heading that does not exist: " + link);
    }
  }

  fs::path src_;
  std::map<fs::path, Page> pages_;
  std::map<fs::path, Source> sources_;
  std::vector<Problem> problems_;
};

// Every problem of the book whose src folder is given; empty when it is sound.
inline std::vector<Problem> check(const fs::path& src) {
  return Checker(src).run();
}

}  // namespace book
