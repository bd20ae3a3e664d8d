#include "source/file/identity/identity.h"

#include <gtest/gtest.h>

namespace logboom::source {
namespace {

FileIdentity identity_of(std::string handle, std::uint64_t inode = 7) {
  FileIdentity identity;
  identity.handle = std::move(handle);
  identity.file_system = 11;
  identity.device = 3;
  identity.inode = inode;
  identity.birth_time = 5;
  return identity;
}

TEST(SourceId, FollowsKeyFileSystemAndHandle) {
  const auto id = make_source_id("key", identity_of("h"));
  EXPECT_EQ(id, make_source_id("key", identity_of("h", 8))) << "device and inode may change behind a handle";
  EXPECT_NE(id, make_source_id("other", identity_of("h")));
  EXPECT_NE(id, make_source_id("key", identity_of("i")));
  FileIdentity elsewhere = identity_of("h");
  elsewhere.file_system = 12;
  EXPECT_NE(id, make_source_id("key", elsewhere));
}

TEST(SourceId, DeviceInodeAndBirthStandInForAHandle) {
  EXPECT_EQ(make_source_id("key", identity_of("")), make_source_id("key", identity_of("")));
  EXPECT_NE(make_source_id("key", identity_of("", 7)), make_source_id("key", identity_of("", 8)));
  FileIdentity later = identity_of("");
  later.birth_time = 6;
  EXPECT_NE(make_source_id("key", identity_of("")), make_source_id("key", later)) << "a reused inode is another file";
}

TEST(SourceId, IsAsDocumented) {
  FileIdentity identity;
  identity.handle = "\x01";
  identity.file_system = 2;
  EXPECT_EQ(make_source_id("k", identity).to_hex().size(), 32u);
}

TEST(RotationName, LeavesOutDateNumberAndCompression) {
  const std::string base = rotation_name("app.log").base;
  for (const char* name : {"app.log.1", "app.log.12.gz", "app.log-20261120", "app.log-20261120.xz",
                           "app-2026-11-20.log", "app.log.2026-11-20T14.zst", "app.2.log"}) {
    EXPECT_EQ(rotation_name(name).base, base) << name;
    EXPECT_GT(rotation_name(name).tokens, 0u) << name;
  }
  EXPECT_NE(rotation_name("other.log.1").base, base);
  EXPECT_EQ(rotation_group("/l/app.log.1.gz"), "/l/app.log");
  EXPECT_NE(rotation_group("/m/app.log"), rotation_group("/l/app.log"));
}

TEST(WithoutLastNumber, GivesTheNameACopyWasMadeOf) {
  EXPECT_EQ(without_last_number("app.log.1"), "app.log");
  EXPECT_EQ(without_last_number("app-1.log.3.gz"), "app-1.log");
  EXPECT_EQ(without_last_number("app-2026-11-20.log"), "app.log");
  EXPECT_EQ(without_last_number("app.log"), "app.log");
  EXPECT_EQ(plain_name("app.log.3.gz"), "app.log.3");
}

TEST(MayBeCopy, NeedsANumberADateOrACompressionMore) {
  EXPECT_TRUE(may_be_copy("app.log.1", "app.log"));
  EXPECT_TRUE(may_be_copy("app.log.2.gz", "app.log.1"));
  EXPECT_TRUE(may_be_copy("app-20261120.log", "app.log"));
  EXPECT_TRUE(may_be_copy("app-20261120.log.1.gz", "app-20261120.log"));
  EXPECT_FALSE(may_be_copy("app.log", "app.log.1"));
  EXPECT_FALSE(may_be_copy("app-2.log", "app-1.log")) << "two writers beside each other";
  EXPECT_FALSE(may_be_copy("messages.1", "syslog")) << "another group";
}

TEST(DecideKnown, FollowsTheTable) {
  EXPECT_EQ(decide_known({100, 100, true, false, 0}), KnownAction::kContinue);
  EXPECT_EQ(decide_known({100, 200, true, true, 0}), KnownAction::kContinue);
  EXPECT_EQ(decide_known({100, 200, false, false, 0}), KnownAction::kNewEpoch) << "A9: truncated, then regrown";
  EXPECT_EQ(decide_known({100, 50, true, false, 40}), KnownAction::kNewEpoch) << "only the first look may inherit";
  EXPECT_EQ(decide_known({100, 50, true, true, 40}), KnownAction::kInherit) << "A24";
  EXPECT_EQ(decide_known({100, 50, true, true, 0}), KnownAction::kNewEpoch);
  EXPECT_EQ(decide_known({100, 0, true, true, 0}), KnownAction::kNewEpoch);
}

TEST(DecideUnknown, FollowsTheTable) {
  using enum UnknownAction;
  const Candidate unlike{OriginalState::kLive, false, Likeness::kNone};
  const Candidate live{OriginalState::kLive, false, Likeness::kContinues};
  const Candidate growing{OriginalState::kLive, false, Likeness::kPrefix};
  const Candidate truncated{OriginalState::kTruncated, false, Likeness::kContinues};
  const Candidate vanished{OriginalState::kVanished, false, Likeness::kContinues};
  const Candidate taken{OriginalState::kVanished, true, Likeness::kContinues};
  const Candidate old_copy{OriginalState::kVanished, false, Likeness::kPrefix};
  EXPECT_EQ(decide_unknown(true, true, {vanished}), (UnknownDecision{kRegister, 0}));
  EXPECT_EQ(decide_unknown(false, true, {}), (UnknownDecision{kCollect, 0}));
  EXPECT_EQ(decide_unknown(false, true, {unlike, taken}), (UnknownDecision{kCollect, 0}));
  EXPECT_EQ(decide_unknown(false, false, {unlike, truncated}), (UnknownDecision{kContinueOriginal, 1}));
  EXPECT_EQ(decide_unknown(false, false, {vanished}), (UnknownDecision{kContinueOriginal, 0}));
  EXPECT_EQ(decide_unknown(false, false, {growing}), (UnknownDecision{kWait, 0}));
  EXPECT_EQ(decide_unknown(false, true, {live}), (UnknownDecision{kAlias, 0}));
  EXPECT_EQ(decide_unknown(false, false, {old_copy}), (UnknownDecision{kWait, 0}));
  EXPECT_EQ(decide_unknown(false, true, {old_copy}), (UnknownDecision{kContinueOriginal, 0}));
  EXPECT_EQ(decide_unknown(false, false, {vanished, truncated}), (UnknownDecision{kWait, 0}));
  EXPECT_EQ(decide_unknown(false, true, {vanished, truncated}), (UnknownDecision{kCollectFlagged, 0}));
}

}  // namespace
}  // namespace logboom::source
