#include <fmt/format.h>

#include "app/paths.h"
#include "app/rules_in_force.h"
#include "base/log.h"

namespace logboom::app {
namespace {

class RulesOfFiles final : public RulesInForce {
 public:
  RulesOfFiles(std::unique_ptr<config::RuleSource> source, config::RuleSet rules)
      : source_(std::move(source)), rules_(std::move(rules)) {}

  config::RuleSet rules() override { return rules_; }
  std::string rules_problem() override { return ""; }
  config::RuleSource* rule_source() override { return source_.get(); }
  void wait_for_rules(std::uint64_t, std::chrono::milliseconds, std::stop_token) override {
    if (auto now = source_->load(); now.ok()) rules_ = std::move(*now);
  }

 private:
  const std::unique_ptr<config::RuleSource> source_;
  config::RuleSet rules_;
};

// An agent takes its rules elsewhere, and reads none from `logboom rules`.
Status refuse_folder_of_agent(Context& context) {
  const std::string& directory = context.data_directory();
  if (!is_agents_data(*context.files, directory)) return {};
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("{} is the folder of an agent: its rules are collect.items of its own agent.yaml, which it "
                           "follows, or those its server keeps (logboom rules --server URL --host {})",
                           printable(directory), printable(host_name(context.settings.text("agent.name")))));
}

}  // namespace

Result<std::unique_ptr<RulesInForce>> open_rules_of_files(Context& context, bool writes) {
  LB_TRY(refuse_folder_of_agent(context));
  LB_ASSIGN(auto source, open_rules(context.settings, context.config_file, {}, !writes, context.deps()));
  LB_ASSIGN(config::RuleSet rules, source->load());
  return std::unique_ptr<RulesInForce>(std::make_unique<RulesOfFiles>(std::move(source), std::move(rules)));
}

}  // namespace logboom::app
