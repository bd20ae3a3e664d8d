// A line chart in text: dots of Braille characters. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace logboom::app {

struct PlotPoint {
  std::int64_t time = 0;
  double value = 0;
};

struct Plot {
  std::vector<PlotPoint> points;  // in rising time
  std::int64_t from = 0;          // of the axis; from < to
  std::int64_t to = 1;
  std::int64_t gap = 0;  // points further apart are not joined
  int columns = 72;      // characters of the whole, at least 20
  int rows = 4;
};

// So many rows, each ending with a newline: greatest and least value of the axis on the left, the line on the right.
// The axis begins at 0 unless values are negative. Of several points in one column of dots all heights are drawn.
std::string draw(const Plot& plot);

// "0.25", "12.3", "1.2k", "38.4M".
std::string short_number(double value);

}  // namespace logboom::app
