// What the services of one supervisor that have the same policy share: one copy of it, in a pointer's room.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class Supervisor;

namespace detail {

struct ServicePolicy {
  Supervisor* supervisor;
  BackoffPolicy backoff;
  std::optional<Duration> stop_grace;
  bool is_own_backoff;            // and not the supervisor's
  std::vector<Problem> warnings;  // what is questionable about it
  std::size_t users = 0;
};

class SharedPolicy {
 public:
  explicit SharedPolicy(ServicePolicy policy) : policy_(new ServicePolicy(std::move(policy))) { ++policy_->users; }
  SharedPolicy(const SharedPolicy& other) noexcept : policy_(other.policy_) { ++policy_->users; }
  SharedPolicy& operator=(SharedPolicy other) noexcept {
    std::swap(policy_, other.policy_);
    return *this;
  }
  ~SharedPolicy() {
    if (--policy_->users == 0) delete policy_;
  }

  const ServicePolicy* operator->() const noexcept { return policy_; }
  const ServicePolicy& operator*() const noexcept { return *policy_; }
  friend bool operator==(const SharedPolicy&, const SharedPolicy&) noexcept = default;

 private:
  ServicePolicy* policy_;
};

}  // namespace detail

}  // namespace holdfast

#pragma GCC visibility pop
