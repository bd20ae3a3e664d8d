#include "logstore/embedded/search/searcher.h"

#include "base/memory_budget.h"
#include "logstore/embedded/search/context.h"
#include "logstore/embedded/search/field_names.h"
#include "logstore/embedded/search/follow.h"
#include "logstore/embedded/search/search_run.h"
#include "logstore/embedded/search/worker_pool.h"

namespace logboom::logstore::embedded {
namespace {

class EmbeddedSearcher final : public LogSearcher {
 public:
  EmbeddedSearcher(const StoreView& view, const Clock& clock, const SearcherOptions& options)
      : view_(view), clock_(clock), budget_(options.memory), pool_(options.workers) {}

  Result<SearchResult> search(const SearchRequest& request, SearchVisitor& visitor, std::stop_token stop) override {
    LB_ASSIGN(const std::unique_ptr<const Plan> plan, Plan::make(request, view_));
    SearchRun run({view_, clock_, pool_, budget_}, *plan, visitor);
    return run.run(stop);
  }

  Result<std::vector<Row>> context(const ContextRequest& request, std::stop_token stop) override {
    return find_context(view_, request, stop);
  }

  Result<std::vector<FieldInfo>> fields(const SearchRequest& request, std::stop_token stop) override {
    return find_field_names(view_, request, stop);
  }

  Result<std::vector<Row>> follow(const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                  std::chrono::milliseconds wait, std::stop_token stop) override {
    return follow_rows(view_, clock_, query, commit, limit, wait, stop);
  }

  std::uint64_t last_commit() const override { return view_.snapshot()->commit; }

 private:
  const StoreView& view_;
  const Clock& clock_;
  MemoryBudget budget_;
  WorkerPool pool_;
};

}  // namespace

std::unique_ptr<LogSearcher> make_searcher(const StoreView& view, const Clock& clock, const SearcherOptions& options) {
  return std::make_unique<EmbeddedSearcher>(view, clock, options);
}

}  // namespace logboom::logstore::embedded
