// The contract every transport keeps, as one parameterised suite: a new transport adds a factory and one
// INSTANTIATE_TEST_SUITE_P line (transport_contract_test.cc).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "transport/transport.h"

namespace logboom::transport {

struct TransportUnderTest {
  std::shared_ptr<void> world;  // what both ends need; dies last
  std::unique_ptr<Producer> producer;
  std::unique_ptr<Consumer> consumer;
};

struct TransportCase {
  std::string name;
  // A fresh transport that holds about `bytes` in flight.
  std::function<TransportUnderTest(std::uint64_t bytes)> make;
  // The same with a far side that takes nothing.
  std::function<TransportUnderTest(std::uint64_t bytes)> make_stuck;
  // Answers come from the consumer's commits, and receive() ends behind the last message of a closed producer. Else the
  // transport itself is durable: it answers, and the producers are nothing to the consumer.
  bool end_to_end = true;
};

}  // namespace logboom::transport
