// One function per command; the table in table.cc names them. Each returns the exit status.
#pragma once

#include "app/cli.h"
#include "app/context.h"

namespace logboom::app {

int run_up(Context& context, const Args& args);
int run_agent(Context& context, const Args& args);
int run_server(Context& context, const Args& args);
int run_transfer(Context& context, const Args& args);
int run_fleet(Context& context, const Args& args);
int run_enroll(Context& context, const Args& args);
int run_import(Context& context, const Args& args);
int run_search(Context& context, const Args& args);
int run_follow(Context& context, const Args& args);
int run_sources(Context& context, const Args& args);
int run_status(Context& context, const Args& args);
int run_metrics(Context& context, const Args& args);
int run_audit(Context& context, const Args& args);
int run_export(Context& context, const Args& args);
int run_rules_list(Context& context, const Args& args);
int run_rules_get(Context& context, const Args& args);
int run_rules_put(Context& context, const Args& args);
int run_rules_add(Context& context, const Args& args);
int run_rules_remove(Context& context, const Args& args);
int run_rules_history(Context& context, const Args& args);
int run_rules_restore(Context& context, const Args& args);
int run_check(Context& context, const Args& args);
int run_config_init(Context& context, const Args& args);
int run_config_show(Context& context, const Args& args);
int run_doctor(Context& context, const Args& args);
int run_login(Context& context, const Args& args);
int run_token_create(Context& context, const Args& args);
int run_token_list(Context& context, const Args& args);
int run_token_revoke(Context& context, const Args& args);
int run_backup(Context& context, const Args& args);
int run_repair(Context& context, const Args& args);
int run_generate(Context& context, const Args& args);
int run_completion(Context& context, const Args& args);
int run_reference(Context& context, const Args& args);

}  // namespace logboom::app
