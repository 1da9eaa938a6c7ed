#include "bench_history.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "builder.h"
#include "commands.h"
#include "process.h"
#include "terminal.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostPlotted = 12;
constexpr std::string_view kRate = "ops/s";

Json json_of(const BenchRun& run) {
  Json rows = Json::object();
  for (const auto& [name, figure] : run.rows) {
    rows[name] = {{"unit", figure.unit}, {"mine", figure.mine}};
    if (figure.leveldb) rows[name]["leveldb"] = *figure.leveldb;
  }
  return {{"time", run.time},
          {"rooms", run.rooms},
          {"entries", run.entries},
          {"key_bytes", run.key_bytes},
          {"value_bytes", run.value_bytes},
          {"policy", run.policy},
          {"rows", rows}};
}

// Throws nlohmann's exception for what is no run.
BenchRun run_of(const Json& json) {
  BenchRun run{.time = json.at("time"),
               .rooms = json.at("rooms"),
               .entries = json.at("entries"),
               .key_bytes = json.at("key_bytes"),
               .value_bytes = json.at("value_bytes"),
               .policy = json.at("policy"),
               .rows = {}};
  for (const auto& [name, row] : json.at("rows").items()) {
    Figure figure{
        .unit = row.at("unit"), .mine = row.at("mine"), .leveldb = {}};
    if (row.contains("leveldb")) figure.leveldb = row["leveldb"].get<double>();
    run.rows.emplace_back(name, figure);
  }
  return run;
}

// ----------------------------------------------------------------- the picture

constexpr double kPanelWidth = 400;
constexpr double kPanelHeight = 240;
constexpr double kHeaderHeight = 64;
constexpr double kLeft = 56;  // of a panel: the y axis' figures
constexpr double kRight = 20;
constexpr double kTop = 34;     // the row's name
constexpr double kBottom = 44;  // the runs' labels

constexpr std::string_view kStyle = R"(<style>
  :root { --ground: #ffffff; --ink: #1f2328; --dim: #6b7280; --grid: #d8dbe0;
          --mine: #0969da; --other: #c2610c; }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #14171c; --ink: #e6e9ee; --dim: #9aa3ad; --grid: #333a44;
            --mine: #58a6ff; --other: #f0883e; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 16px; font-weight: 600; }
  .name { font-size: 13px; font-weight: 600; }
  .dim { fill: var(--dim); font-size: 11px; }
  .grid { stroke: var(--grid); stroke-width: 1; }
  .mine { stroke: var(--mine); stroke-width: 2; fill: none; }
  .other { stroke: var(--other); stroke-width: 2; fill: none;
           stroke-dasharray: 5 4; }
  .mine-dot { fill: var(--mine); } .other-dot { fill: var(--other); }
</style>
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) result += c;
    }
  }
  return result;
}

// A step of 1, 2 or 5 times a power of ten, so that at most four reach `most`.
double step_to(double most) {
  const double least = std::max(most, 1e-9) / 4;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10 * power;
}

std::string text_at(double x, double y, std::string_view kind,
                    std::string_view anchor, std::string_view text) {
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\" text-anchor=\"{}\">{}"
      "</text>\n",
      x, y, kind, anchor, escaped(text));
}

// One row's panel; its upper left corner is the origin.
class Panel {
 public:
  Panel(const std::vector<BenchRun>& runs, std::string row)
      : runs_(runs), row_(std::move(row)) {
    double most = 0;
    for (const BenchRun& run : runs_) {
      const Figure* figure = run.find(row_);
      if (figure == nullptr) continue;
      most = std::max({most, figure->mine, figure->leveldb.value_or(0)});
    }
    step_ = step_to(most / 1000);
    top_ = step_ * std::max(std::ceil(most / 1000 / step_), 1.0);
  }

  std::string draw() const {
    std::string svg = text_at(kLeft, 20, "name", "start", row_);
    for (double at = 0; at <= top_ + step_ / 2; at += step_) {
      svg += fmt::format(
          "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
          "class=\"grid\"/>\n",
          kLeft, y_of(at), kPanelWidth - kRight, y_of(at));
      svg += text_at(kLeft - 6, y_of(at) + 4, "dim", "end",
                     fmt::format("{:g}", at));
    }
    svg += labels();
    svg += curve("other", [](const Figure& figure) { return figure.leveldb; });
    svg += curve("mine", [](const Figure& figure) {
      return std::optional<double>(figure.mine);
    });
    return svg;
  }

 private:
  double x_of(std::size_t run) const {
    const double width = kPanelWidth - kLeft - kRight - 32;
    const double parts =
        static_cast<double>(std::max<std::size_t>(runs_.size() - 1, 1));
    return kLeft + 16 + width * static_cast<double>(run) / parts;
  }
  double y_of(double thousands) const {
    const double height = kPanelHeight - kTop - kBottom;
    return kTop + height * (1 - thousands / top_);
  }

  // Rooms and day below the axis, as many as there is room for; the last one
  // always.
  std::string labels() const {
    const std::size_t every = (runs_.size() + 3) / 4;
    std::string svg;
    for (std::size_t i = 0; i < runs_.size(); i++) {
      if ((runs_.size() - 1 - i) % every != 0) continue;
      const double y = kPanelHeight - kBottom;
      std::string rooms = short_rooms(runs_[i].rooms);
      if (rooms.size() > 15) rooms = rooms.substr(0, 13) + "..";
      svg += text_at(x_of(i), y + 16, "dim", "middle", rooms);
      svg += text_at(x_of(i), y + 30, "dim", "middle",
                     runs_[i].time.substr(0, 10));
    }
    return svg;
  }

  // A line through the runs that have the figure, broken where one has not.
  template <typename Value>
  std::string curve(std::string_view kind, const Value& value) const {
    std::string path;
    std::string dots;
    bool down = false;
    for (std::size_t i = 0; i < runs_.size(); i++) {
      const Figure* figure = runs_[i].find(row_);
      const std::optional<double> at =
          figure == nullptr ? std::nullopt : value(*figure);
      if (at) {
        path += fmt::format("{}{:.1f} {:.1f} ", down ? "L" : "M", x_of(i),
                            y_of(*at / 1000));
        dots += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" "
            "class=\"{}-dot\"><title>{}: {} thousand ops/s, rooms {}, {}"
            "</title></circle>\n",
            x_of(i), y_of(*at / 1000), kind,
            kind == "mine" ? "yours" : "LevelDB",
            fmt::format("{:.0f}", *at / 1000), escaped(runs_[i].rooms),
            escaped(runs_[i].time));
      }
      down = at.has_value();
    }
    if (path.empty()) return {};
    return fmt::format("<path d=\"{}\" class=\"{}\"/>\n", path, kind) + dots;
  }

  const std::vector<BenchRun>& runs_;
  std::string row_;
  double step_ = 1;  // both in thousand operations a second
  double top_ = 1;
};

std::string settings_of(const BenchRun& run) {
  return fmt::format("{} entries, {}-byte keys, {}-byte values, {}",
                     run.entries, run.key_bytes, run.value_bytes, run.policy);
}

// The rows that two runs or more have, in the order they first came.
std::vector<std::string> plotted_rows(const std::vector<BenchRun>& runs) {
  std::vector<std::string> rows;
  std::set<std::string> once;
  for (const BenchRun& run : runs) {
    for (const auto& [name, figure] : run.rows) {
      if (figure.unit != kRate || once.insert(name).second) continue;
      if (std::ranges::find(rows, name) == rows.end()) rows.push_back(name);
    }
  }
  return rows;
}

// ----------------------------------------------------------------- the command

std::string figure_text(const Figure& figure) {
  if (figure.unit == kRate) return fmt::format("{:.0f}", figure.mine / 1000);
  return fmt::format("{:.2f} {}", figure.mine, figure.unit);
}

// How many times as good as LevelDB; above 1 is better in every unit.
std::string ratio_text(const Figure& figure) {
  if (!figure.leveldb || figure.mine <= 0 || *figure.leveldb <= 0) return "-";
  const double ratio = figure.mine / *figure.leveldb;
  return fmt::format("{:.2f}", figure.unit == kRate ? ratio : 1 / ratio);
}

// The first and the last run, and the last beside LevelDB.
void print_runs(const std::vector<BenchRun>& runs) {
  const BenchRun& first = runs.front();
  const BenchRun& last = runs.back();
  fmt::print("\n{}: {} {}\n\n", ink(Ink::bold, "Your engine"), runs.size(),
             runs.size() == 1 ? "run" : "runs");
  if (runs.size() > 1) {
    print_field("first", fmt::format("{}, rooms {}", first.time,
                                     short_rooms(first.rooms)));
  }
  print_field("last",
              fmt::format("{}, rooms {}", last.time, short_rooms(last.rooms)));
  print_field("of", settings_of(last), Ink::dim);
  fmt::print("\n  {} {:>10} {:>10} {:>10}\n", padded("thousand ops/s", 28),
             "first", "last", "/ LevelDB");
  for (const auto& [name, figure] : last.rows) {
    const Figure* before = first.find(name);
    fmt::print(
        "  {} {:>10} {:>10} {:>10}\n", padded(name, 28),
        before == nullptr || runs.size() == 1 ? "-" : figure_text(*before),
        figure_text(figure), ratio_text(figure));
  }
  fmt::print("\n");
}

int show_history(const Course& course) {
  const fs::path file = history_file(course);
  const History history = read_history(file);
  std::fflush(stdout);
  for (const std::size_t line : history.damaged) {
    fmt::print(stderr,
               "{}:{}: this line holds no run, and is left out. Nothing was "
               "changed; delete the line to be rid of it.\n",
               shown_path(file.string(), course.root), line);
  }
  const int status = history.damaged.empty() ? 0 : 1;
  if (history.runs.empty()) {
    print_line(
        "No figures of yours are kept yet. This measures your engine (some "
        "minutes):\n  ./course bench --mine\n"
        "and this is quicker, and rougher:\n"
        "  ./course bench --mine --num 200000 --rounds 3");
    return 1;
  }
  const std::vector<BenchRun> runs = plotted_runs(history);
  print_runs(runs);
  if (runs.size() < history.runs.size()) {
    print_line(
        ink(Ink::dim,
            fmt::format(
                "  ({} older runs, or runs with other settings, are left out)",
                history.runs.size() - runs.size())));
  }
  const std::string svg = plot(runs);
  if (svg.empty()) {
    print_line(
        runs.size() == 1
            ? "One run makes no curve. After the next room, with the same "
              "settings:\n  ./course bench --mine"
            : "These runs have no row in common, so there is nothing to plot. "
              "Measure\nwith the same --workloads.");
    return status;
  }
  const fs::path picture = course.build / "bench_history.svg";
  write_if_changed(picture, svg);
  print_field("plot", shown_path(picture.string(), course.root), Ink::link);
  return status;
}

// The value of `option` in `args`; empty when it is not there.
std::string value_of(const std::vector<std::string>& args,
                     std::string_view option) {
  for (std::size_t i = 0; i < args.size(); i++) {
    if (args[i] == option && i + 1 < args.size()) return args[i + 1];
    if (args[i].starts_with(std::string(option) + "=")) {
      return args[i].substr(option.size() + 1);
    }
  }
  return {};
}

// "1.1 1.4" as build/mine was configured.
std::string rooms_of_mine(const Course& course) {
  constexpr std::string_view kDefinition = "\nLSM_MINE=";
  const std::string note =
      read_file(course.root / "build" / "mine" / ".configured");
  const std::size_t at = note.find(kDefinition);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kDefinition.size();
  std::string rooms = note.substr(begin, note.find('\n', begin) - begin);
  std::ranges::replace(rooms, ';', ' ');
  return rooms;
}

int measure_mine(const Course& course, std::vector<std::string> args) {
  int status = 0;
  const std::string binary = built_tool(course, "lsm-bench", true, status);
  if (binary.empty()) return status;
  std::string report = value_of(args, "--json");
  if (report.empty()) {
    report = (course.build / "bench.json").string();
    args.insert(args.end(), {"--json", report});
  }
  std::error_code ignored;
  fs::remove(report, ignored);  // an older run's must not be taken for this
  args.insert(args.begin(), binary);
  std::fflush(stdout);
  // Ctrl-C is for lsm-bench, which then reports what it has.
  std::signal(SIGINT, [](int) {});
  const Finished finished = run(args, {}, {}, Capture::no);
  std::signal(SIGINT, SIG_DFL);
  if (!fs::is_regular_file(report)) return finished.status;
  const std::string now =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  const auto kept =
      finished.status > 1
          ? std::nullopt  // interrupted: the rounds are not whole
          : run_of_report(read_file(report), now, rooms_of_mine(course));
  if (kept) {
    append_run(history_file(course), *kept);
    fmt::print(stderr, "\nkept: ./course bench --history\n");
  }
  return finished.status;
}

}  // namespace

const Figure* BenchRun::find(std::string_view row) const {
  for (const auto& [name, figure] : rows) {
    if (name == row) return &figure;
  }
  return nullptr;
}

bool BenchRun::comparable(const BenchRun& other) const {
  return entries == other.entries && key_bytes == other.key_bytes &&
         value_bytes == other.value_bytes && policy == other.policy;
}

fs::path history_file(const Course& course) {
  return course.build / "bench_history.jsonl";
}

std::optional<BenchRun> run_of_report(std::string_view text,
                                      const std::string& time,
                                      const std::string& rooms) {
  const Json json = Json::parse(text);
  const Json& config = json.at("config");
  BenchRun run{.time = time,
               .rooms = rooms,
               .entries = config.at("num"),
               .key_bytes = config.at("key_bytes"),
               .value_bytes = config.at("value_bytes"),
               .policy = config.at("policy"),
               .rows = {}};
  for (const Json& sample : json.at("samples")) {
    if (sample.contains("wrong")) return std::nullopt;
    const std::string name = sample.at("row");
    if (sample.at("engine") != "lsm" || run.find(name) != nullptr) continue;
    const Json& medians = json.at("medians").at(name);
    Figure figure{
        .unit = sample.at("unit"), .mine = medians.at("lsm"), .leveldb = {}};
    if (medians.contains("leveldb")) figure.leveldb = medians["leveldb"];
    run.rows.emplace_back(name, figure);
  }
  if (run.rows.empty()) return std::nullopt;
  return run;
}

History read_history(const fs::path& file) {
  History history;
  if (!fs::exists(file)) return history;
  const std::string text = read_file(file);
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    number++;
    if (line.empty()) continue;
    try {
      history.runs.push_back(run_of(Json::parse(line)));
    } catch (const nlohmann::json::exception&) {
      history.damaged.push_back(number);
    }
  }
  return history;
}

void append_run(const fs::path& file, const BenchRun& run) {
  // Behind a line that was cut off, on a line of its own.
  std::string line;
  if (fs::exists(file)) {
    const std::string before = read_file(file);
    if (!before.empty() && !before.ends_with('\n')) line = "\n";
  }
  line += json_of(run).dump() + "\n";
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::app);
  out << line;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

std::string short_rooms(std::string_view rooms) {
  const auto follows = [](std::string_view one, std::string_view next) {
    return one.size() == 3 && next.size() == 3 && one[0] == next[0] &&
           one[2] + 1 == next[2];
  };
  std::vector<std::string_view> ids;
  for (std::size_t at = 0; at < rooms.size();) {
    const std::size_t end = std::min(rooms.find(' ', at), rooms.size());
    if (end > at) ids.push_back(rooms.substr(at, end - at));
    at = end + 1;
  }
  std::string result;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && follows(ids[last], ids[last + 1]))
      last++;
    result += (result.empty() ? "" : " ") + std::string(ids[i]);
    if (last > i) result += fmt::format("-{}", ids[last]);
    i = last + 1;
  }
  return result;
}

std::vector<BenchRun> plotted_runs(const History& history) {
  std::vector<BenchRun> runs;
  for (const BenchRun& run : history.runs) {
    if (run.comparable(history.runs.back())) runs.push_back(run);
  }
  if (runs.size() > kMostPlotted) {
    runs.erase(runs.begin(), runs.end() - kMostPlotted);
  }
  return runs;
}

std::string plot(const std::vector<BenchRun>& runs) {
  const std::vector<std::string> rows = plotted_rows(runs);
  if (rows.empty()) return {};
  const std::size_t lines = (rows.size() + 1) / 2;
  const double width = 2 * kPanelWidth;
  const double height =
      kHeaderHeight + static_cast<double>(lines) * kPanelHeight;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\">\n"
      "<title>Thousand operations a second, run by run</title>\n{2}"
      "<rect width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "style=\"fill: var(--ground)\"/>\n",
      width, height, kStyle);
  svg += text_at(16, 26, "title", "start",
                 "Your engine, thousand operations a second");
  svg += text_at(16, 46, "dim", "start", settings_of(runs.back()));
  const double legend = width - 200;
  svg += fmt::format(
      "<path d=\"M{0:.0f} 22 h28\" class=\"mine\"/>\n"
      "<path d=\"M{1:.0f} 22 h28\" class=\"other\"/>\n",
      legend, legend + 90);
  svg += text_at(legend + 34, 26, "dim", "start", "yours");
  svg += text_at(legend + 124, 26, "dim", "start", "LevelDB");
  for (std::size_t i = 0; i < rows.size(); i++) {
    svg +=
        fmt::format("<g transform=\"translate({:.0f} {:.0f})\">\n{}</g>\n",
                    static_cast<double>(i % 2) * kPanelWidth,
                    kHeaderHeight + static_cast<double>(i / 2) * kPanelHeight,
                    Panel(runs, rows[i]).draw());
  }
  return svg + "</svg>\n";
}

int command_bench(const Course& course, const std::vector<std::string>& args,
                  bool mine) {
  // With a file it is lsm-bench's own option.
  if (args == std::vector<std::string>{"--history"}) {
    return show_history(course);
  }
  if (mine) return measure_mine(course, args);
  return command_tool(course, "lsm-bench", args, false);
}

}  // namespace lsm::course
