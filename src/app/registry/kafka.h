// Kafka as the way of an agent, for the composition root; the rest of it is in app/registry.h.
#pragma once

#include <functional>
#include <memory>

#include "app/registry.h"
#include "transport/kafka/kafka_producer.h"

namespace logboom::app {

// The producer of an agent that sends to Kafka; `rules` as open_agent_link's. kInvalidArgument: no brokers are named.
Result<std::unique_ptr<transport::KafkaProducer>> open_kafka_sender(const config::Settings& settings,
                                                                    std::function<config::RuleSet()> rules, Deps deps);

}  // namespace logboom::app
