#include "app/generate/line_maker.h"

#include <ctime>

#include <fmt/format.h>

namespace logboom::app {
namespace {

constexpr std::string_view kServices[] = {"payments", "orders",  "inventory", "gateway", "search",
                                          "mailer",   "billing", "sessions",  "catalog", "shipping"};
constexpr std::string_view kUsers[] = {"alice",  "bob",   "carol", "dave",    "erin",   "frank",  "grace",
                                       "heidi",  "ivan",  "judy",  "mallory", "niaj",   "olivia", "peggy",
                                       "rupert", "sybil", "trent", "victor",  "walter", "zoe"};
constexpr std::string_view kPaths[] = {
    "/api/v1/orders", "/api/v1/orders/{}", "/api/v1/users/{}", "/api/v1/pay", "/api/v2/search?q=item-{}",
    "/static/app.js", "/static/logo.svg",  "/healthz",         "/login",      "/cart/{}/items",
    "/metrics"};
constexpr std::string_view kMethods[] = {"GET", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE"};
constexpr int kStatus[] = {200, 200, 200, 200, 200, 200, 201, 204, 301, 304,
                           400, 401, 403, 404, 404, 499, 500, 502, 503, 504};
constexpr std::string_view kAgents[] = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Safari/605.1.15",
    "curl/7.88.1",
    "Go-http-client/2.0",
    "kube-probe/1.31",
    "okhttp/4.12.0"};
constexpr std::string_view kTables[] = {"orders", "order_items", "customers", "payments", "sessions", "stock"};
constexpr std::string_view kClasses[] = {"com.shop.pay.PaymentService",
                                         "com.shop.order.OrderController",
                                         "com.shop.stock.StockRepository",
                                         "com.shop.http.RetryInterceptor",
                                         "org.hibernate.engine.jdbc.spi.SqlExceptionHelper",
                                         "com.shop.mail.MailQueue",
                                         "com.zaxxer.hikari.pool.HikariPool",
                                         "com.shop.cart.CartService"};
constexpr std::string_view kExceptions[] = {
    "java.net.SocketTimeoutException: Read timed out",
    "java.lang.NullPointerException: Cannot invoke \"Order.id()\" because \"order\" is null",
    "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after "
    "30000ms.",
    "java.lang.IllegalStateException: order already closed"};
constexpr std::string_view kMethodsOfClasses[] = {"handle",   "charge",  "reserve",      "invoke",
                                                  "doFilter", "execute", "lambda$run$0", "submit"};

struct Stamp {
  int year, month, day, hour, minute, second, ms;
};

Stamp civil(TimeNs time) {
  const std::time_t seconds = static_cast<std::time_t>(time / kNsPerSecond);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return {parts.tm_year + 1900,
          parts.tm_mon + 1,
          parts.tm_mday,
          parts.tm_hour,
          parts.tm_min,
          parts.tm_sec,
          static_cast<int>(time / kNsPerMs % 1000)};
}

template <typename... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void put_ip(std::string& out, Random& random) {
  put(out, "10.{}.{}.{}", random.below(4), random.below(16), 1 + random.below(250));
}

}  // namespace

std::optional<LineFormat> line_format_from_name(std::string_view name) {
  if (name == "app") return LineFormat::kApp;
  if (name == "access") return LineFormat::kAccess;
  if (name == "json") return LineFormat::kJson;
  if (name == "java") return LineFormat::kJava;
  if (name == "mysql-slow") return LineFormat::kMysqlSlow;
  return std::nullopt;
}

std::string_view LineMaker::level() {
  const std::uint64_t n = random_.below(100);
  return n < 72 ? "INFO" : n < 88 ? "DEBUG" : n < 96 ? "WARN" : "ERROR";
}

std::uint64_t LineMaker::append(std::string& out, TimeNs time) {
  switch (format_) {
    case LineFormat::kApp:
      return append_app(out, time);
    case LineFormat::kAccess:
      return append_access(out, time);
    case LineFormat::kJson:
      return append_json(out, time);
    case LineFormat::kJava:
      return append_java(out, time);
    case LineFormat::kMysqlSlow:
      return append_mysql_slow(out, time);
  }
  return 0;
}

std::uint64_t LineMaker::append_app(std::string& out, TimeNs time) {
  Random& r = random_;
  const Stamp t = civil(time);
  put(out, "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} {} [worker-{}] {}: ", t.year, t.month, t.day, t.hour, t.minute,
      t.second, t.ms, level(), r.below(16), r.pick(kServices));
  switch (r.below(14)) {
    case 0:
      put(out, "accepted order order-{} from user {} total={}.{:02} items={}", r.below(10'000'000), r.pick(kUsers),
          r.skewed(900), r.below(100), r.skewed(12));
      break;
    case 1:
      put(out, "charge order-{} amount={}.{:02} currency=EUR attempt={}", r.below(10'000'000), r.skewed(900),
          r.below(100), r.skewed(3));
      break;
    case 2:
      put(out, "request finished path=/api/v1/orders/{} status={} duration={}ms bytes={}", r.below(10'000'000),
          r.pick(kStatus), r.skewed(5000), r.skewed(90'000));
      break;
    case 3:
      put(out, "cache miss key=session:{:016x} shard={}", r.next(), r.below(32));
      break;
    case 4:
      put(out, "cache hit key=session:{:016x} shard={} age={}s", r.next(), r.below(32), r.skewed(3600));
      break;
    case 5:
      put(out, "connection from "), put_ip(out, r),
          put(out, ":{} accepted, {} open", 1024 + r.below(60'000), r.skewed(400));
      break;
    case 6:
      put(out, "query took {} ms rows={} table={} index used", r.skewed(900), r.skewed(5000), r.pick(kTables));
      break;
    case 7:
      put(out, "retry {}/3 after timeout on {}-{}:8443", 1 + r.below(3), r.pick(kServices), r.below(6));
      break;
    case 8:
      put(out, "published event OrderPlaced id={:08x}-{:04x}-4{:03x}-a{:03x}-{:012x} to topic orders partition {}",
          r.below(1ULL << 32), r.below(1 << 16), r.below(1 << 12), r.below(1 << 12), r.below(1ULL << 48), r.below(12));
      break;
    case 9:
      put(out, "user {} logged in from ", r.pick(kUsers)), put_ip(out, r), put(out, " session={:016x}", r.next());
      break;
    case 10:
      put(out, "queue depth {} consumers {} lag {}", r.skewed(20'000), 1 + r.below(8), r.skewed(100'000));
      break;
    case 11:
      put(out, "gc pause {}.{:03} ms heap {}M -> {}M", r.skewed(80), r.below(1000), 200 + r.below(800),
          100 + r.below(100));
      break;
    case 12:
      put(out, "stock of item-{} now {} in warehouse {}", r.below(50'000), r.skewed(5000), r.pick(kServices));
      break;
    default:
      put(out, "heartbeat ok seq={} rtt={}us", time / kNsPerMs, r.skewed(3000));
      break;
  }
  out += '\n';
  return 1;
}

std::uint64_t LineMaker::append_access(std::string& out, TimeNs time) {
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  Random& r = random_;
  const Stamp t = civil(time);
  put_ip(out, r);
  put(out, " - {} [{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000] \"{} ", r.one_in(3) ? r.pick(kUsers) : std::string_view("-"),
      t.day, kMonths[t.month - 1], t.year, t.hour, t.minute, t.second, r.pick(kMethods));
  const std::string_view path = r.pick(kPaths);
  put(out, fmt::runtime(path), r.below(1'000'000));
  put(out, " HTTP/1.1\" {} {} \"{}\" \"{}\" rt={}.{:03}\n", r.pick(kStatus), r.skewed(200'000),
      r.one_in(2) ? "https://shop.example/" : "-", r.pick(kAgents), r.skewed(4) - 1, r.below(1000));
  return 1;
}

std::uint64_t LineMaker::append_json(std::string& out, TimeNs time) {
  Random& r = random_;
  const Stamp t = civil(time);
  const std::string_view severity = level();
  put(out,
      R"({{"@timestamp":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z","level":"{}","service":"{}","trace_id":"{:016x}{:016x}",)",
      t.year, t.month, t.day, t.hour, t.minute, t.second, t.ms, severity, r.pick(kServices), r.next(), r.next());
  switch (r.below(5)) {
    case 0:
      put(out,
          R"("message":"request finished","http":{{"method":"{}","status":{},"path":"/api/v1/orders/{}"}},"duration_ms":{}.{}}})",
          r.pick(kMethods), r.pick(kStatus), r.below(1'000'000), r.skewed(5000), r.below(10));
      break;
    case 1:
      put(out, R"("message":"charge failed: timeout after {} ms","order":"order-{}","user":"{}","attempt":{}}})",
          500 * (1 + r.below(10)), r.below(10'000'000), r.pick(kUsers), r.skewed(4));
      break;
    case 2:
      put(out, R"("message":"订单 order-{} 已支付","amount":{}.{:02},"user":"{}"}})", r.below(10'000'000),
          r.skewed(900), r.below(100), r.pick(kUsers));
      break;
    case 3:
      put(out, R"("message":"cache \"sessions\" evicted {} entries","shard":{},"took_us":{}}})", r.skewed(900),
          r.below(32), r.skewed(20'000));
      break;
    default:
      put(out, R"("message":"db query","table":"{}","rows":{},"duration_ms":{}}})", r.pick(kTables), r.skewed(5000),
          r.skewed(900));
      break;
  }
  out += '\n';
  return 1;
}

std::uint64_t LineMaker::append_java(std::string& out, TimeNs time) {
  Random& r = random_;
  const Stamp t = civil(time);
  const bool failed = r.one_in(25);
  put(out, "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03} {:5} [http-nio-8080-exec-{}] {} - ", t.year, t.month, t.day,
      t.hour, t.minute, t.second, t.ms, failed ? std::string_view("ERROR") : level(), r.below(64), r.pick(kClasses));
  if (!failed) {
    switch (r.below(4)) {
      case 0:
        put(out, "Completed request {} in {} ms", r.below(10'000'000), r.skewed(3000));
        break;
      case 1:
        put(out, "Fetched {} rows from {} using {} connections", r.skewed(5000), r.pick(kTables), r.below(20));
        break;
      case 2:
        put(out, "Order {} moved from NEW to PAID by {}", r.below(10'000'000), r.pick(kUsers));
        break;
      default:
        put(out, "HikariPool-1 - Pool stats (total={}, active={}, idle={}, waiting={})", 20, r.below(20), r.below(20),
            r.below(5));
        break;
    }
    out += '\n';
    return 1;
  }
  put(out, "Unhandled exception for order-{}\n{}\n", r.below(10'000'000), r.pick(kExceptions));
  const std::uint64_t frames = 4 + r.below(20);
  for (std::uint64_t i = 0; i < frames; ++i) {
    const std::string_view name = r.pick(kClasses);
    put(out, "\tat {}.{}({}.java:{})\n", name, r.pick(kMethodsOfClasses), name.substr(name.rfind('.') + 1),
        10 + r.below(400));
  }
  return 2 + frames;
}

std::uint64_t LineMaker::append_mysql_slow(std::string& out, TimeNs time) {
  Random& r = random_;
  const Stamp t = civil(time);
  put(out, "# Time: {:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}000Z\n# User@Host: {}[{}] @  [", t.year, t.month, t.day,
      t.hour, t.minute, t.second, t.ms, r.pick(kServices), r.pick(kServices));
  put_ip(out, r);
  put(out,
      "]  Id: {:5}\n# Query_time: {}.{:06}  Lock_time: 0.{:06} Rows_sent: {}  Rows_examined: {}\nSET timestamp={};\n",
      r.below(90'000), r.skewed(20), r.below(1'000'000), r.below(1000), r.skewed(1000), r.skewed(2'000'000),
      time / kNsPerSecond);
  put(out, "SELECT * FROM {} WHERE customer_id = {} ORDER BY created_at DESC LIMIT {};\n", r.pick(kTables),
      r.below(1'000'000), 10 * (1 + r.below(10)));
  return 5;
}

}  // namespace logboom::app
