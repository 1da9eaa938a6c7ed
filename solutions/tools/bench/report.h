// A Report turns samples into medians, ratios and files.
//
// Why alternated medians of ratios. A shared or virtual machine is a third
// faster or slower from one minute to the next, so an absolute time, or two
// engines measured one after the other, says little. Within a round every
// engine takes its turn at a workload within seconds of the others, in an
// order that rotates. A ratio is therefore taken inside each round, and the
// median of the rounds' ratios is reported: one disturbed turn moves it not
// at all. (It may differ a little from the ratio of the median rates.)
//
// I1 every ratio reads "times as good as": above 1 is better than the
//    baseline on every row, for seconds and amplification as well.
// I2 what failed its check is marked in every report and never hidden.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workload.h"

namespace lsm::bench {

class Report {
 public:
  Report(std::vector<std::string> engines, std::string baseline)
      : engines_(std::move(engines)), baseline_(std::move(baseline)) {}

  void add(Sample sample);
  const std::vector<Sample>& samples() const { return samples_; }

  // Over the rounds; nothing when there is no such sample.
  std::optional<double> median(std::string_view engine,
                               std::string_view row) const;
  std::optional<double> ratio(std::string_view engine,
                              std::string_view baseline,
                              std::string_view row) const;

  std::string table() const;
  std::string latency_table() const;
  // Failed checks, one a line; empty when all passed.
  std::string wrong() const;
  // {"config": …, "machine": …, "samples": […], "medians": {…}}, where
  // `config_json` and `machine_json` are JSON objects.
  std::string json(const std::string& config_json,
                   const std::string& machine_json) const;
  // One line: {"time": …, "label": …, "num": …, "medians": {…}}.
  std::string history_line(std::string_view label, std::uint64_t num) const;

 private:
  std::vector<const Sample*> of(std::string_view engine,
                                std::string_view row) const;

  std::vector<std::string> engines_;
  std::string baseline_;
  std::vector<Sample> samples_;
  std::vector<std::string> rows_;  // as they first came
};

// A bar that a row must reach: `row >= 1.3` as a ratio to the baseline, or
// `row <= 4.3` as the figure itself.
struct Gate {
  std::string row;
  bool is_ratio = true;
  double bar = 0;
};

// Commas or newlines between gates, '#' begins a comment.
std::vector<Gate> parse_gates(std::string_view text);

// One line a gate that `engine` fails; a bar may be missed by `tolerance`
// (0.1: a tenth). A row that was not measured fails.
std::string failed_gates(const Report& report, const std::vector<Gate>& gates,
                         std::string_view engine, std::string_view baseline,
                         double tolerance);

}  // namespace lsm::bench
