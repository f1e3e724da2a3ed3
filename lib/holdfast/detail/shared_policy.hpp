// What the services of one supervisor that have the same policy share: one copy of it, in a pointer's room.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class Supervisor;

namespace detail {

struct PolicyInForce {
  Supervisor* supervisor;
  ServicePolicy given{};
  ServicePolicy in_force{};
  Duration stop_grace{0};           // without one of its own, the shutdown timeout
  std::vector<Problem> warnings{};  // what is questionable about it
  std::size_t users = 0;

  [[nodiscard]] const BackoffPolicy& backoff() const noexcept { return *in_force.backoff; }
};

class SharedPolicy {
 public:
  explicit SharedPolicy(PolicyInForce policy) : policy_(new PolicyInForce(std::move(policy))) { ++policy_->users; }
  SharedPolicy(const SharedPolicy& other) noexcept : policy_(other.policy_) { ++policy_->users; }
  SharedPolicy& operator=(SharedPolicy other) noexcept {
    std::swap(policy_, other.policy_);
    return *this;
  }
  ~SharedPolicy() {
    if (--policy_->users == 0) delete policy_;
  }

  const PolicyInForce* operator->() const noexcept { return policy_; }
  const PolicyInForce& operator*() const noexcept { return *policy_; }
  friend bool operator==(const SharedPolicy&, const SharedPolicy&) noexcept = default;

 private:
  PolicyInForce* policy_;
};

// The latest policies, because fleets repeat a few.
class LatestPolicies {
 public:
  // Null: it is not among them.
  [[nodiscard]] const SharedPolicy* find(const ServicePolicy& given) const noexcept {
    for (const auto& policy : policies_) {
      if (policy && (*policy)->given == given) return &*policy;
    }
    return nullptr;
  }
  const SharedPolicy& keep(PolicyInForce policy) {
    auto& place = policies_[next_++ % policies_.size()];
    place.emplace(std::move(policy));
    return *place;
  }

 private:
  std::array<std::optional<SharedPolicy>, 8> policies_;
  std::size_t next_ = 0;
};

}  // namespace detail

}  // namespace holdfast

#pragma GCC visibility pop
