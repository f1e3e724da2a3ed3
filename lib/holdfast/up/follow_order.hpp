// What a client wants to see of lines or events: which, how many of the last ones, and whether those that come, too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <holdfast/up/follower.hpp>

namespace holdfast::up {

struct FollowOrder {
  std::set<std::string, std::less<>> services{};  // empty: all
  std::uint32_t last = 0;
  bool follow = false;
  std::shared_ptr<Follower> to{};

  [[nodiscard]] bool wants(std::string_view service) const {
    return services.empty() || services.find(service) != services.end();
  }
};

}  // namespace holdfast::up
