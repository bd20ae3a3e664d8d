#include "app/commands/plot.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace logboom::app {
namespace {

constexpr int kLabel = 7;
constexpr std::string_view kAxis = "│";

// Dots of a grid of Braille characters, two wide and four high each.
class Dots {
 public:
  Dots(int columns, int rows) : columns_(columns), rows_(rows), cells_(static_cast<std::size_t>(columns * rows)) {}
  int width() const { return columns_ * 2; }
  int height() const { return rows_ * 4; }
  // (0, 0) is at the lower left.
  void set(int x, int y) {
    constexpr unsigned char kBits[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
    const int row = rows_ - 1 - y / 4;
    cells_[static_cast<std::size_t>(row * columns_ + x / 2)] |= kBits[x % 2][y % 4];
  }
  std::string row(int row) const {
    std::string text;
    for (int column = 0; column < columns_; ++column) {
      const unsigned char bits = cells_[static_cast<std::size_t>(row * columns_ + column)];
      // U+2800 and the bits.
      text += '\xe2';
      text += static_cast<char>(0xa0 | bits >> 6);
      text += static_cast<char>(0x80 | (bits & 0x3f));
    }
    return text;
  }

 private:
  const int columns_;
  const int rows_;
  std::vector<unsigned char> cells_;
};

struct Scale {
  double least = 0;
  double greatest = 0;
};

Scale scale_of(const std::vector<PlotPoint>& points) {
  Scale scale;
  for (const PlotPoint& point : points) {
    scale.least = std::min(scale.least, point.value);
    scale.greatest = std::max(scale.greatest, point.value);
  }
  if (scale.least == scale.greatest) scale.greatest = scale.least + 1;
  return scale;
}

}  // namespace

std::string short_number(double value) {
  constexpr std::string_view kUnits[] = {"", "k", "M", "G", "T", "P"};
  std::size_t unit = 0;
  while (std::fabs(value) >= 1000 && unit + 1 < std::size(kUnits)) value /= 1000, ++unit;
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

std::string draw(const Plot& plot) {
  const Scale scale = scale_of(plot.points);
  Dots dots(std::max(plot.columns, 20) - kLabel - 1, plot.rows);
  const auto x_of = [&](std::int64_t time) {
    const double part = static_cast<double>(time - plot.from) / static_cast<double>(plot.to - plot.from);
    return std::clamp(static_cast<int>(part * dots.width()), 0, dots.width() - 1);
  };
  const auto y_of = [&](double value) {
    const double part = (value - scale.least) / (scale.greatest - scale.least);
    return std::clamp(static_cast<int>(std::lround(part * (dots.height() - 1))), 0, dots.height() - 1);
  };
  for (std::size_t i = 0; i < plot.points.size(); ++i) {
    const PlotPoint& point = plot.points[i];
    const int x = x_of(point.time), y = y_of(point.value);
    dots.set(x, y);
    if (i == 0 || (plot.gap > 0 && point.time - plot.points[i - 1].time > plot.gap)) continue;
    const int x0 = x_of(plot.points[i - 1].time), y0 = y_of(plot.points[i - 1].value);
    const int steps = std::max(std::abs(x - x0), std::abs(y - y0));
    for (int step = 1; step < steps; ++step) dots.set(x0 + (x - x0) * step / steps, y0 + (y - y0) * step / steps);
  }
  std::string text;
  for (int row = 0; row < plot.rows; ++row) {
    std::string label;
    if (row == 0) label = short_number(scale.greatest);
    if (row == plot.rows - 1) label = short_number(scale.least);
    text += fmt::format("{:>{}}{}{}\n", label, kLabel, kAxis, dots.row(row));
  }
  return text;
}

}  // namespace logboom::app
