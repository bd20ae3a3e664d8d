#include "agent/pipeline_emitter.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "transport/inprocess/inprocess_transport.h"

namespace logboom::agent {
namespace {

struct PipelineEmitterTest : ::testing::Test {
  Registry registry;
  transport::InProcessTransport pipe = transport::open_inprocess({}, [] { return std::vector<KnownSource>(1); });
  std::unique_ptr<source::Emitter> emitter = std::move(make_pipeline_emitter(*pipe.producer, registry)).value();

  Position emit_and_receive(std::uint64_t begin, std::uint64_t end) {
    Batch batch;
    batch.channel = "logs";
    batch.begin = begin;
    batch.end = end;
    EXPECT_TRUE(emitter->emit(std::move(batch), {}).ok());
    return pipe.consumer->receive({})->position;
  }
  bool readable() {
    pollfd wait{emitter->ack_descriptor(), POLLIN, 0};
    return ::poll(&wait, 1, 0) == 1;
  }
};

TEST_F(PipelineEmitterTest, AnAckWakesTheCollectorOnce) {
  const Position position = emit_and_receive(0, 10);
  EXPECT_FALSE(readable());
  Coverage coverage;
  coverage.add(0, 10);
  pipe.consumer->commit(position, coverage);
  EXPECT_TRUE(readable());
  const auto acks = emitter->take_acks();
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_TRUE(acks[0].status.ok());
  EXPECT_EQ(acks[0].end, 10u);
  EXPECT_FALSE(readable());
  EXPECT_TRUE(emitter->take_acks().empty());
}

TEST_F(PipelineEmitterTest, ARangeThatIsNotWhollyCoveredIsAFailure) {
  const Position position = emit_and_receive(0, 10);
  Coverage half;
  half.add(0, 5);
  pipe.consumer->commit(position, half);
  EXPECT_FALSE(emitter->take_acks().at(0).status.ok());
}

TEST_F(PipelineEmitterTest, AFailureIsPassedOn) {
  pipe.consumer->commit(emit_and_receive(0, 10), Error(ErrorCode::kFull, "disk full"));
  EXPECT_EQ(emitter->take_acks().at(0).status.error().code(), ErrorCode::kFull);
}

TEST_F(PipelineEmitterTest, KnownSourcesComeFromTheFarSide) {
  EXPECT_EQ(emitter->known_sources()->size(), 1u);
}

}  // namespace
}  // namespace logboom::agent
