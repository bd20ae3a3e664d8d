// The contract every transport keeps, as one parameterised suite: a new transport adds a factory and one
// INSTANTIATE_TEST_SUITE_P line (transport_contract_test.cc).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "transport/transport.h"

namespace logboom::transport {

struct TransportUnderTest {
  std::unique_ptr<Producer> producer;
  std::unique_ptr<Consumer> consumer;
};

struct TransportCase {
  std::string name;
  // A fresh transport that holds about `bytes` in flight.
  std::function<TransportUnderTest(std::uint64_t bytes)> make;
};

}  // namespace logboom::transport
