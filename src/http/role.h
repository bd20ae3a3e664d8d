// Who may do what: roles, what a route asks for, and who a request comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace logboom::http {

// viewer < editor < admin. An ingest token may only send: it reads nothing. An enrol token may only be exchanged, once,
// for the token of an agent.
enum class Role : std::uint8_t { kEnroll, kIngest, kViewer, kEditor, kAdmin };
std::string_view role_name(Role role);
std::optional<Role> role_from_name(std::string_view name);

// What a route asks for. There is no default: a route without a rule does not compile.
class Access {
 public:
  static constexpr Access everyone() { return Access(Kind::kEveryone, Role::kViewer); }
  // Admin, editor and viewer by rank; for kIngest and kEnroll: a token of just that role, or an admin.
  static constexpr Access at_least(Role role) { return Access(Kind::kRole, role); }

  constexpr bool is_public() const { return kind_ == Kind::kEveryone; }
  constexpr Role role() const { return role_; }
  constexpr bool allows(Role role) const {
    if (is_public()) return true;
    if (role_ <= Role::kIngest) return role == role_ || role == Role::kAdmin;
    return role >= role_;
  }

 private:
  enum class Kind : std::uint8_t { kEveryone, kRole };
  constexpr Access(Kind kind, Role role) : kind_(kind), role_(role) {}
  Kind kind_;
  Role role_;
};

enum class Via : std::uint8_t { kToken, kSession, kUnix };
std::string_view via_name(Via via);

// Who a request comes from, once authenticated.
struct Principal {
  std::string name;  // of the token, the session's owner, or "uid:1000"
  Role role = Role::kViewer;
  Via via = Via::kToken;
  std::string token_id;  // of the token, also when a session came from it; else empty
  TimeNs expires = 0;    // 0: never
};

}  // namespace logboom::http
