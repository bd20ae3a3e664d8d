#include "logstore/elastic/bulk_writers.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/pause.h"
#include "http/json.h"

namespace logboom::logstore::elastic {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* kBulk = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason";
constexpr auto kQuick = std::chrono::milliseconds(300);
constexpr auto kSlow = std::chrono::milliseconds(1500);
constexpr std::size_t kMostDocuments = 20'000;  // in one request

struct ItemOutcome {
  int status = 0;
  std::string reason;
};

// One per document of the request; empty when the answer is not of that shape.
std::vector<ItemOutcome> outcomes_of(const std::string& answer, std::size_t count) {
  std::vector<ItemOutcome> out;
  const auto json = nlohmann::json::parse(answer, nullptr, false);
  if (!json.is_object() || !json.contains("items") || !json["items"].is_array() || json["items"].size() != count)
    return out;
  for (const auto& item : json["items"]) {
    if (!item.is_object() || item.empty() || !item.begin().value().is_object()) return {};
    const auto& said = item.begin().value();
    ItemOutcome outcome;
    if (said.contains("status") && said["status"].is_number_integer()) outcome.status = said["status"].get<int>();
    if (said.contains("error") && said["error"].is_object()) {
      for (const char* member : {"type", "reason"}) {
        if (!said["error"].contains(member) || !said["error"][member].is_string()) continue;
        outcome.reason += (outcome.reason.empty() ? "" : ": ") + said["error"][member].get<std::string>();
      }
    }
    out.push_back(std::move(outcome));
  }
  return out;
}

bool is_found(const nlohmann::json& doc) {
  return doc.is_object() && doc.contains("found") && doc["found"] == true && doc.contains("_source");
}

bool is_stored(int status) {
  return status == 200 || status == 201;
}

std::uint64_t share_begin(const Batch& batch, std::size_t record) {
  return batch.begin + batch.records[record].begin - batch.records[record].blank;
}

std::uint64_t share_end(const Batch& batch, std::size_t record) {
  const bool last = record + 1 == batch.records.size();
  return batch.begin + batch.records[record].end() + (last ? tail_of(batch) : 0);
}

}  // namespace

BulkWriters::BulkWriters(Cluster& cluster, Groundwork& groundwork, const BulkOptions& options, Registry& registry,
                         std::function<void(std::shared_ptr<Piece>)> on_done)
    : cluster_(cluster),
      groundwork_(groundwork),
      options_(options),
      on_done_(std::move(on_done)),
      documents_(registry.counter("logboom_elastic_documents_total", "Documents created in the target.")),
      repeated_(registry.counter("logboom_elastic_repeated_total", "Records whose document was there already.")),
      retried_(registry.counter("logboom_elastic_retried_total", "Documents sent again because the target was busy.")),
      refused_(registry.counter("logboom_elastic_refused_total", "Records the target refused for good.")),
      request_bytes_(registry.gauge("logboom_elastic_request_bytes", "Bytes of log lines in one request now.")),
      target_(options.first_request) {
  for (unsigned i = 0; i < options_.writers; ++i) threads_.emplace_back([this](std::stop_token stop) { run(stop); });
}

BulkWriters::~BulkWriters() {
  stop();
}

void BulkWriters::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

void BulkWriters::add(std::shared_ptr<Piece> piece) {
  piece->left = piece->batch->records.size();
  {
    MutexLock lock(mutex_);
    queue_.push_back({piece, 0, piece->batch->records.size()});
  }
  changed_.notify_one();
}

std::string BulkWriters::problem() const {
  MutexLock lock(mutex_);
  return problem_;
}

void BulkWriters::set_problem(std::string problem) {
  MutexLock lock(mutex_);
  if (problem_ == problem) return;
  if (!problem.empty()) log_warn("not written now, tried again: {}", problem);
  if (problem.empty()) log_info("{} takes documents again", cluster_.where());
  problem_ = std::move(problem);
}

// ---------------------------------------------------------------- the queue

void BulkWriters::run(std::stop_token stop) {
  DocumentWriter writer;
  while (!stop.stop_requested()) {
    const std::vector<Slice> slices = take(stop);
    if (slices.empty()) continue;
    std::vector<Document> documents;
    for (const Slice& slice : slices) {
      for (std::size_t i = slice.first; i < slice.last; ++i) documents.push_back({slice.piece.get(), i});
    }
    if (slices.front().piece->compare) {
      compare_all(std::move(documents), stop);
    } else {
      create(std::move(documents), writer, stop);
    }
    if (!stop.stop_requested()) finish(slices);
  }
}

// As much as fits one request, of pieces of one kind; a piece may be cut.
std::vector<BulkWriters::Slice> BulkWriters::take(std::stop_token stop) {
  MutexLock lock(mutex_);
  changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return !queue_.empty(); });
  std::vector<Slice> out;
  std::uint64_t bytes = 0;
  std::size_t documents = 0;
  while (!queue_.empty() && !stop.stop_requested()) {
    Slice& front = queue_.front();
    if (!out.empty() && front.piece->compare != out.front().piece->compare) break;
    std::size_t last = front.first;
    while (last < front.last && (documents == 0 || (bytes < target_ && documents < kMostDocuments))) {
      bytes += front.piece->batch->records[last++].length;
      ++documents;
    }
    if (last == front.first) break;
    out.push_back({front.piece, front.first, last});
    front.first = last;
    if (front.first == front.last) queue_.pop_front();
  }
  return out;
}

void BulkWriters::finish(const std::vector<Slice>& slices) {
  std::vector<std::shared_ptr<Piece>> done;
  {
    MutexLock lock(mutex_);
    for (const Slice& slice : slices) {
      slice.piece->left -= slice.last - slice.first;
      if (slice.piece->left == 0) done.push_back(slice.piece);
    }
  }
  for (auto& piece : done) on_done_(std::move(piece));
}

void BulkWriters::adapt(std::uint64_t bytes, std::chrono::nanoseconds took) {
  MutexLock lock(mutex_);
  if (took > kSlow) {
    target_ = std::max(options_.least_request, target_ / 4 * 3);
  } else if (took < kQuick && bytes >= target_ / 10 * 9) {
    target_ = std::min(options_.most_request, target_ / 4 * 5);
  }
  request_bytes_.set(static_cast<std::int64_t>(target_));
}

void BulkWriters::shrink() {
  MutexLock lock(mutex_);
  target_ = std::max(options_.least_request, target_ / 2);
  request_bytes_.set(static_cast<std::int64_t>(target_));
}

void BulkWriters::pause(std::chrono::milliseconds& pause, std::stop_token stop) {
  pause_for(pause, stop);
  pause = std::min(pause * 2, options_.most_pause);
}

// ---------------------------------------------------------------- creating

void BulkWriters::create(std::vector<Document> documents, DocumentWriter& writer, std::stop_token stop) {
  auto wait = options_.least_pause;
  while (!documents.empty() && !stop.stop_requested()) {
    const std::size_t before = documents.size();
    documents = send(std::move(documents), writer, stop);
    if (documents.empty()) break;
    retried_.add(documents.size());
    if (documents.size() < before) wait = options_.least_pause;  // it goes on
    if (!problem().empty()) pause(wait, stop);
  }
  if (!stop.stop_requested()) set_problem("");
}

std::vector<BulkWriters::Document> BulkWriters::send(std::vector<Document> documents, DocumentWriter& writer,
                                                     std::stop_token stop) {
  if (const Status checked = groundwork_.check(stop); !checked.ok()) {
    set_problem(checked.error().message());
    return documents;
  }
  std::string body;
  std::uint64_t bytes = 0;
  for (const Document& document : documents) {
    const Piece& piece = *document.piece;
    writer.add(*piece.batch, document.record, piece.index, piece.commit, document.plain, body);
    bytes += piece.batch->records[document.record].length;
  }
  const auto began = SteadyClock::now();
  auto answer = cluster_.ask("POST", kBulk, body, BodyKind::kLines, stop);
  if (!answer.ok()) {
    set_problem(answer.error().message());
    return documents;
  }
  if (answer->status == 413 && documents.size() == 1) {
    refuse(documents[0], fmt::format("larger than {} takes in one request", cluster_.where()), false);
    return {};
  }
  if (answer->status == 413) {  // half of it, then the rest
    shrink();
    const auto half = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() / 2);
    std::vector<Document> rest(half, documents.end());
    documents.erase(half, documents.end());
    create(std::move(documents), writer, stop);
    return rest;
  }
  if (answer->status >= 300) {
    if (answer->status == 429) shrink();
    set_problem(cluster_.error_of("/_bulk", *answer).message());
    return documents;
  }
  adapt(bytes, SteadyClock::now() - began);
  return sort_outcomes(std::move(documents), answer->body, stop);
}

std::vector<BulkWriters::Document> BulkWriters::sort_outcomes(std::vector<Document> documents,
                                                              const std::string& answer, std::stop_token stop) {
  const std::vector<ItemOutcome> outcomes = outcomes_of(answer, documents.size());
  if (outcomes.empty()) {
    set_problem(fmt::format("{} gave an answer that cannot be read", cluster_.where()));
    return documents;
  }
  std::vector<Document> again;
  std::vector<Document> there;
  std::string busy;
  std::size_t created = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    Document& document = documents[i];
    const ItemOutcome& outcome = outcomes[i];
    if (is_stored(outcome.status)) {
      ++created;
    } else if (outcome.status == 409) {
      there.push_back(document);
    } else if ((outcome.status == 400 || outcome.status == 413) && document.plain) {
      refuse(document, outcome.reason, false);
    } else if (outcome.status == 400 || outcome.status == 413) {
      document.plain = true;  // the mapping may refuse one of its fields: without them
      again.push_back(document);
    } else {
      busy = fmt::format("{}: status {}: {}", cluster_.where(), outcome.status, outcome.reason);
      if (outcome.status == 429) shrink();
      again.push_back(document);
    }
  }
  documents_.add(created);
  set_problem(busy);
  if (there.empty()) return again;
  auto absent = compare(there, stop);
  if (!absent.ok()) set_problem(absent.error().message());
  const std::vector<Document>& more = absent.ok() ? *absent : there;
  again.insert(again.end(), more.begin(), more.end());
  return again;
}

void BulkWriters::refuse(const Document& document, std::string reason, bool conflict) {
  const Batch& batch = *document.piece->batch;
  Refusal refusal;
  refusal.begin = share_begin(batch, document.record);
  refusal.end = share_end(batch, document.record);
  refusal.bytes = batch.bytes.substr(refusal.begin - batch.begin, refusal.end - refusal.begin);
  refusal.reason = std::move(reason);
  refusal.conflict = conflict;
  refused_.add();
  MutexLock lock(mutex_);  // slices of one piece may be at work in several threads
  document.piece->refused.push_back(std::move(refusal));
}

// ---------------------------------------------------------------- comparing

Result<nlohmann::json> BulkWriters::fetch(const std::vector<Document>& documents, const char* members,
                                          std::stop_token stop) {
  std::string body;
  http::JsonWriter w(body);
  w.open_object().key("docs").open_array();
  for (const Document& document : documents) {
    const Batch& batch = *document.piece->batch;
    w.open_object().field("_index", document.piece->index);
    w.field("_id", document_id(batch.source, batch.epoch, batch.offset(batch.records[document.record]), batch.channel));
    w.key("_source").raw(members).close_object();
  }
  w.close_array().close_object();
  LB_ASSIGN(nlohmann::json answer, cluster_.json("POST", "/_mget", body, stop));
  if (!answer.contains("docs") || !answer["docs"].is_array() || answer["docs"].size() != documents.size())
    return Error(ErrorCode::kUnavailable, fmt::format("{} gave an answer that cannot be read", cluster_.where()));
  return std::move(answer["docs"]);
}

Result<std::vector<BulkWriters::Document>> BulkWriters::compare(const std::vector<Document>& documents,
                                                                std::stop_token stop) {
  LB_ASSIGN(const nlohmann::json found, fetch(documents, R"(["logboom.hash"])", stop));
  std::vector<Document> absent;
  std::vector<Document> differing;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const Document& document = documents[i];
    if (!is_found(found[i])) {
      absent.push_back(document);
      continue;
    }
    repeated_.add();
    const auto hash = found[i]["_source"].find("logboom.hash");
    const bool same =
        hash != found[i]["_source"].end() && *hash == content_hash(*document.piece->batch, document.record);
    if (!same) differing.push_back(document);
  }
  if (!differing.empty()) LB_TRY(settle(differing, stop));
  return absent;
}

// Records with another content than their document has. A repeat may be cut into records elsewhere: then one is the
// beginning of the other.
Status BulkWriters::settle(const std::vector<Document>& differing, std::stop_token stop) {
  LB_ASSIGN(const nlohmann::json found, fetch(differing, R"(["message","logboom.*"])", stop));
  for (std::size_t i = 0; i < differing.size(); ++i) {
    const Document& document = differing[i];
    const Batch& batch = *document.piece->batch;
    const std::string_view ours = batch.text(batch.records[document.record]);
    const auto stored = is_found(found[i]) ? read_document(found[i]["_source"]) : Result<StoredRecord>(StoredRecord{});
    const std::string_view theirs = stored.ok() ? std::string_view(stored->row.text) : std::string_view();
    const bool agree = stored.ok() && (ours.starts_with(theirs) || theirs.starts_with(ours));
    if (!agree || !document.piece->compare) refuse(document, "conflict: other bytes are stored for this range", true);
  }
  return {};
}

void BulkWriters::compare_all(std::vector<Document> documents, std::stop_token stop) {
  auto wait = options_.least_pause;
  while (!stop.stop_requested()) {
    const auto absent = compare(documents, stop);
    if (absent.ok()) {
      MutexLock lock(mutex_);
      for (const Document& document : *absent) ++document.piece->uncompared;
      break;
    }
    set_problem(absent.error().message());
    pause(wait, stop);
  }
  if (!stop.stop_requested()) set_problem("");
}

}  // namespace logboom::logstore::elastic
