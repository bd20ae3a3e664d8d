// What every metric store must do, as one suite (metric_store_contract_test.cc) over all of them.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "metricstore/metric_store.h"

namespace logboom::metricstore {

// A store with nothing in it, and what it stands on.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual MetricStore& store() = 0;
  // Closes it and opens it again.
  virtual void reopen() = 0;
};

struct StoreCase {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const StoreCase& store) {
  return out << store.name;
}

// When the samples of the suite begin: a full hour.
inline constexpr TimeNs kStart = 1'699'999'200 * kNsPerSecond;

}  // namespace logboom::metricstore
