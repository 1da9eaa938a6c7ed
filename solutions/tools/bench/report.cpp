#include "report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace lsm::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kPercentiles = {
    std::pair{"p50", 0.5},
    std::pair{"p99", 0.99},
    std::pair{"p99.9", 0.999},
};

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

const char* name_of(Unit unit) {
  switch (unit) {
    case Unit::per_second:
      return "ops/s";
    case Unit::seconds:
      return "s";
    case Unit::factor:
      return "x";
  }
  return "";
}

std::string figure(Unit unit, double value) {
  switch (unit) {
    case Unit::per_second:
      return fmt::format("{:.1f}", value / 1000);
    case Unit::seconds:
      return fmt::format("{:.2f} s", value);
    case Unit::factor:
      return fmt::format("{:.2f} x", value);
  }
  return {};
}

std::string duration(double nanoseconds) {
  if (nanoseconds < 10'000) return fmt::format("{:.0f} ns", nanoseconds);
  if (nanoseconds < 10'000'000) {
    return fmt::format("{:.0f} us", nanoseconds / 1000);
  }
  return fmt::format("{:.0f} ms", nanoseconds / 1'000'000);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Gate parse_gate(std::string_view text) {
  for (const std::string_view sign : {">=", "<="}) {
    const std::size_t at = text.find(sign);
    if (at == std::string_view::npos) continue;
    const std::string_view number = trimmed(text.substr(at + 2));
    Gate gate{std::string(trimmed(text.substr(0, at))), sign == ">=", 0};
    const char* end = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), end, gate.bar);
    if (gate.row.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
      break;
    }
    return gate;
  }
  fail(fmt::format("gate '{}': expected 'row >= ratio' or 'row <= figure'",
                   text));
}

}  // namespace

void Report::add(Sample sample) {
  if (std::ranges::find(rows_, sample.row) == rows_.end()) {
    rows_.push_back(sample.row);
  }
  samples_.push_back(std::move(sample));
}

std::vector<const Sample*> Report::of(std::string_view engine,
                                      std::string_view row) const {
  std::vector<const Sample*> some;
  for (const Sample& sample : samples_) {
    if (sample.engine == engine && sample.row == row) {
      some.push_back(&sample);
    }
  }
  return some;
}

std::optional<double> Report::median(std::string_view engine,
                                     std::string_view row) const {
  std::vector<double> values;
  for (const Sample* sample : of(engine, row)) {
    values.push_back(sample->value);
  }
  return median_of(std::move(values));
}

std::optional<double> Report::ratio(std::string_view engine,
                                    std::string_view baseline,
                                    std::string_view row) const {
  std::vector<double> ratios;
  for (const Sample* mine : of(engine, row)) {
    for (const Sample* theirs : of(baseline, row)) {
      if (theirs->round != mine->round) continue;
      const bool more_is_better = mine->unit == Unit::per_second;
      const double over = more_is_better ? mine->value : theirs->value;
      const double under = more_is_better ? theirs->value : mine->value;
      // Seconds too short to mean anything: the engine had nothing to do.
      const double least = mine->unit == Unit::seconds ? 0.001 : 0;
      if (over > least && under > least) ratios.push_back(over / under);
    }
  }
  return median_of(std::move(ratios));
}

std::string Report::table() const {
  // Against the baseline, and ours against RocksDB as well.
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& engine : engines_) {
    if (engine != baseline_) pairs.emplace_back(engine, baseline_);
  }
  auto has = [&](std::string_view name) {
    return std::ranges::find(engines_, name) != engines_.end();
  };
  if (!has(baseline_)) pairs.clear();
  if (baseline_ != "rocksdb" && has("lsm") && has("rocksdb")) {
    pairs.emplace_back("lsm", "rocksdb");
  }

  std::string out = fmt::format("{:26}", "thousand ops/s");
  for (const std::string& engine : engines_) {
    out += fmt::format(" {:>10}", engine);
  }
  for (const auto& [engine, baseline] : pairs) {
    out += fmt::format(" {:>17}", engine + "/" + baseline);
  }
  out += '\n';
  for (const std::string& row : rows_) {
    out += fmt::format("{:26}", row);
    for (const std::string& engine : engines_) {
      const auto samples = of(engine, row);
      const auto value = median(engine, row);
      const bool wrong = std::ranges::any_of(
          samples, [](const Sample* sample) { return !sample->wrong.empty(); });
      out += fmt::format(
          " {:>10}",
          !value ? "-"
                 : figure(samples.front()->unit, *value) + (wrong ? " !" : ""));
    }
    for (const auto& [engine, baseline] : pairs) {
      const auto value = ratio(engine, baseline, row);
      out +=
          fmt::format(" {:>17}", value ? fmt::format("{:.2f}", *value) : "-");
    }
    out += '\n';
  }
  return out;
}

std::string Report::latency_table() const {
  std::string out = fmt::format("{:26} {:>10}", "latency", "engine");
  for (const auto& [name, fraction] : kPercentiles) {
    out += fmt::format(" {:>10}", name);
  }
  out += '\n';
  for (const std::string& row : rows_) {
    for (const std::string& engine : engines_) {
      Histogram all;
      for (const Sample* sample : of(engine, row)) {
        if (sample->latency) all.merge(*sample->latency);
      }
      if (all.total() == 0) continue;
      out += fmt::format("{:26} {:>10}", row, engine);
      for (const auto& [name, fraction] : kPercentiles) {
        out += fmt::format(" {:>10}", duration(all.percentile(fraction)));
      }
      out += '\n';
    }
  }
  return out;
}

std::string Report::wrong() const {
  std::string out;
  for (const Sample& sample : samples_) {
    if (sample.wrong.empty()) continue;
    out += fmt::format("WRONG: {}, round {}, {}: {}\n", sample.engine,
                       sample.round + 1, sample.row, sample.wrong);
  }
  return out;
}

std::string Report::json(const std::string& config_json,
                         const std::string& machine_json) const {
  Json out;
  out["schema"] = 1;
  out["config"] = Json::parse(config_json);
  out["machine"] = Json::parse(machine_json);
  out["samples"] = Json::array();
  for (const Sample& sample : samples_) {
    Json one = {{"round", sample.round + 1},
                {"engine", sample.engine},
                {"row", sample.row},
                {"unit", name_of(sample.unit)},
                {"value", sample.value}};
    if (sample.unit == Unit::factor) {
      one["bytes"] = sample.operations;
    } else {
      one["operations"] = sample.operations;
      one["seconds"] = sample.seconds;
      one["cpu_seconds"] = sample.cpu_seconds;
      one["found"] = sample.found;
    }
    if (!sample.wrong.empty()) one["wrong"] = sample.wrong;
    if (sample.latency) {
      for (const auto& [name, fraction] : kPercentiles) {
        one["latency_ns"][name] = sample.latency->percentile(fraction);
      }
    }
    out["samples"].push_back(std::move(one));
  }
  for (const std::string& row : rows_) {
    for (const std::string& engine : engines_) {
      if (const auto value = median(engine, row)) {
        out["medians"][row][engine] = *value;
      }
      if (const auto value = ratio(engine, baseline_, row)) {
        out["ratios"][row][engine] = *value;
      }
    }
  }
  return out.dump(1) + '\n';
}

std::string Report::history_line(std::string_view label,
                                 std::uint64_t num) const {
  const std::string now =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  Json out = {{"time", now}, {"label", label}, {"num", num}};
  for (const std::string& row : rows_) {
    for (const std::string& engine : engines_) {
      if (const auto value = median(engine, row)) {
        out["medians"][row][engine] = *value;
      }
    }
  }
  return out.dump() + '\n';
}

std::vector<Gate> parse_gates(std::string_view text) {
  std::vector<Gate> gates;
  while (!text.empty()) {
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, line_end);
    text.remove_prefix(std::min(line_end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    // A row may hold a comma: a gate ends at the one after its number.
    while (!trimmed(line).empty()) {
      const std::size_t sign = line.find('=');
      const std::size_t end =
          sign == std::string_view::npos ? sign : line.find(',', sign);
      gates.push_back(parse_gate(line.substr(0, end)));
      line.remove_prefix(
          std::min(end == std::string_view::npos ? end : end + 1, line.size()));
    }
  }
  return gates;
}

std::string failed_gates(const Report& report, const std::vector<Gate>& gates,
                         std::string_view engine, std::string_view baseline,
                         double tolerance) {
  std::string out;
  for (const Gate& gate : gates) {
    const auto value = gate.is_ratio ? report.ratio(engine, baseline, gate.row)
                                     : report.median(engine, gate.row);
    if (!value) {
      out += fmt::format("GATE: {}: not measured\n", gate.row);
    } else if (gate.is_ratio && *value < gate.bar * (1 - tolerance)) {
      out += fmt::format("GATE: {}: {:.2f} times {}, wanted {:.2f}\n", gate.row,
                         *value, baseline, gate.bar);
    } else if (!gate.is_ratio && *value > gate.bar * (1 + tolerance)) {
      out += fmt::format("GATE: {}: {:.2f}, wanted at most {:.2f}\n", gate.row,
                         *value, gate.bar);
    }
  }
  return out;
}

}  // namespace lsm::bench
